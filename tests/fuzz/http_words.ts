/**
 * What requests are put together from: parts that are right, and parts that parsers have been caught by.
 *
 * @module
 */

/** Parts of one kind. */
export interface Words {
  readonly good: readonly string[];
  /** Of these most are to be refused. */
  readonly bad: readonly string[];
}

/** Methods. */
export const METHODS: Words = {
  good: list("GET GET GET POST PUT HEAD OPTIONS DELETE PROPFIND M-SEARCH"),
  bad: [
    ...list("CONNECT TRACE get GET.* > * $SYS PRI _INBOX h8s.control"),
    ...["", "GE\0T", "G\tET", "GET\x0b", "\xff", "A".repeat(33), "A".repeat(9000)],
  ],
};

/** Versions of HTTP in the first line. */
export const VERSIONS: Words = {
  good: ["HTTP/1.1"],
  bad: [...list("HTTP/1.0 HTTP/2.0 HTTP/0.9 HTTP/1.2 http/1.1"), "", "HTTP/1.1 ", "HTTP/1.1\0"],
};

/** Values of `Host`. */
export const HOSTS: Words = {
  good: list("e.com E.com:80 e.com. 127.0.0.1 [::1]:80 a_b.e.com localhost 1.2.3.4.5"),
  bad: [
    ...list(". a..b * > e.> *.e.com e.com:99999 e.com:x u@e.com e.com/x # ? $SYS.e _INBOX 0x7f.1"),
    ...list("[::1 [fe80::1%25eth0] [v1.x] e%2Ecom e.com,f.com"),
    ...["", "e com", "e\tcom", "e\0com", "\xe9.com", "a".repeat(64), "a.".repeat(200)],
  ],
};

/** Segments of paths. */
export const SEGMENTS: Words = {
  good: [
    ...list("a b users 42 . .. %2e %2E%2e a.b a%2Eb a%2Fb %5c \\ * > %2A %3E a* $JS %24JS _INBOX"),
    ...list("control h8s http ws upload %00 %0d%0aNats-Rollup:%20all %0a %7f %20 %09 %25 %252e"),
    ...list(";p=1 a=b&c (x) '\"<> {room} |^` @ : http: ~ \xc3\xa9"),
    "",
  ],
  bad: [
    ...list("% %z %zz %ff %c3 %c3%28 %ed%a0%80 %c0%80 %f4%90%80%80 %u0041"),
    ...["\xff", "\x7f", "\x80", "\xa0", " ", "\t", "\0", "\r", "\n"],
    ...["a".repeat(4000), "x/".repeat(5000), "%41".repeat(900)],
  ],
};

/** Queries and fragments. */
export const QUERIES: Words = {
  good: ["", "", "", ...list("? ?a=1 ?a=%20&b ?%00 ?%0d%0aA:1 ?\xc3\xa9 ?# #f #?/.. ??/")],
  bad: ["?a b", "?\x7f", "?\xff", "?" + "q".repeat(9000)],
};

/** Whole targets. */
export const TARGETS: Words = {
  good: ["/", "/users/42"],
  bad: ["*", "", "/ /", "\\", "?", "#", ".", "http://", "/\xff", "e.com:443"],
};

/** What stands before the host in an absolute target. */
export const SCHEMES: Words = {
  good: ["http://", "HTTP://"],
  bad: list("https:// ws:// ftp:// // http: ://"),
};

/** Whole lines; a good one may well have to be dropped on its way. */
export const HEADERS: Words = {
  good: lines(`
    Accept: */*
    User-Agent: fuzz
    Cookie: a=1; clientId=x; b
    Content-Type: text/plain
    X-H8s-ReplySubject: h8s.evil
    X-H8s-PublishSubject: $SYS.x
    x-h8S-window: 9
    X-H8s-: 1
    Nats-Rollup: all
    nats-msg-id: 1
    NATS-Expected-Stream: X
    Nats-Service-Error-Code: 500
    X-Forwarded-For: 6.6.6.6
    X-Forwarded-Host: evil.>
    Forwarded: for=evil;host="a\\"b"
    X-Request-Id: \xff
    Traceparent: 00-zz
    Client-Id: evil
    Reply-To: evil.push
    Connection: close
    Connection: Host, X-H8s-Window
    Connection: keep-alive, ,
    Keep-Alive: x
    Expect: 100-continue
    Expect: x
    TE: trailers
    Trailer: Nats-Rollup
    Range: bytes=0-
    Upgrade: h2c
    HTTP2-Settings: AAMAAABkAAQAAP__
    X-Name: caf\xe9\xff\x80
    X-Tab:\ta\tb\t
    X-Empty:
    X-Colon: a:b:c
    Status: 500
    1: 2
    Origin: null
    Authorization: Bearer x
    Authorization: \x80
    Sec-WebSocket-Key: x
  `),
  bad: [
    ...["X-A: 1\r\n folded", "X-A: 1\r\n\tNats-Rollup: all", " X-A: 1", "X A: 1", "X-A : 1", ": 1"],
    ...[
      "X-A: a\rb",
      "X-A: a\nNats-Rollup: all",
      "X-A: a\0b",
      "X-A: \x01",
      "X-\xe9: 1",
      "X-A: \x7f",
    ],
    ...["X-A", "\0: 1", "X-(A): 1", "Host: other.com", "Host: e.com", "Host:", "Host : e.com"],
    ...["Host: e.com\r\n .evil", "Upgrade: websocket", "Upgrade: WEBSOCKET, x"],
    "X-Big: " + "b".repeat(20_000),
    "X-Huge: " + "h".repeat(70_000),
    "N".repeat(9000) + ": 1",
    "X-Many: 1\r\n".repeat(150) + "X-Many: 1",
  ],
};

/** Values of `Content-Length`. */
export const LENGTHS: Words = {
  good: ["5", "0", "005", " 5 "],
  bad: [
    ...list("-1 +5 5,5 5,6 0x5 5; 1e1 \xb5 99999999999999999999 18446744073709551615 3000000"),
    ...["", "5, 5", "5, 6", "5\0"],
  ],
};

/** Values of `Transfer-Encoding`. */
export const CODINGS: Words = {
  good: ["chunked", "Chunked", " chunked ", "gzip, chunked"],
  bad: [
    ...list("identity xchunked gzip cow chunked;q=1 chunked,"),
    ...["chunked, chunked", "chunked, gzip", "\x0bchunked", "chunked\0", ""],
  ],
};

/** Chunks of a body. */
export const CHUNKS: Words = {
  good: [
    ...["5\r\nhello\r\n", "5;ext=1\r\nhello\r\n", "05\r\nhello\r\n", "5 \r\nhello\r\n"],
    ...["1\r\n\0\r\n", "5\r\n\r\n0\r\n\r\n", "186A0\r\n" + "c".repeat(100_000) + "\r\n"],
  ],
  bad: [
    ...[
      "4\r\nhello\r\n",
      "6\r\nhello\r\n",
      "zz\r\nhello\r\n",
      "-5\r\nhello\r\n",
      "\r\n",
      "5\r\nhello",
    ],
    ...["5\nhello\n", "0x5\r\nhello\r\n", "FFFFFFFFFFFFFFFFF\r\n", "7fffffffffffffff\r\nx"],
    "5;" + "e".repeat(20_000),
  ],
};

/** How a chunked body ends. */
export const LAST_CHUNKS: Words = {
  good: ["0\r\n\r\n", "0;x\r\n\r\n", "0\r\nNats-Rollup: all\r\nX-H8s-Close: 1\r\n\r\n"],
  bad: ["000\r\n\r\n", "0\r\n", "", "0\n\n", "0\r\nbroken\r\n\r\n", "0\r\n: x\r\n\r\n"],
};

/** Values of `Sec-WebSocket-Protocol`. */
export const PROTOCOLS: Words = {
  good: ["a,b", "a, b", "h8s.ack.v1, h8s.ack.client.abcdefghijklmnop", "bearer.x, chat"],
  bad: ["a b", "", ",", "h8s.ack.v1", "h8s.ack.client.x", "a\xff", "a,a", "p".repeat(9000)],
};

/** Values of `Origin`. */
export const ORIGINS: Words = {
  good: ["http://chat.example.com"],
  bad: ["null", "http://evil", "", "http://chat.example.com.evil", "\xff"],
};

/** How lines end. */
export const LINE_ENDS: Words = { good: ["\r\n"], bad: ["\n", "\r", "\n\r", "\r\r\n"] };

function list(words: string): string[] {
  return words.split(" ");
}

function lines(text: string): string[] {
  return text.split("\n").map((line) => line.replace(/^ +/, "")).filter((line) => line !== "");
}
