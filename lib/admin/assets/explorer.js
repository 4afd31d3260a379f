// @ts-check
/// <reference lib="dom" />
import { ask, find, make, write } from "./dom.js";

/** @typedef {import("../../edge/explain.ts").Explanation} Explanation */

/** What the checks are, in the words of whoever runs it. */
const CHECKS = /** @type {Record<string, string>} */ ({
  shape: "Host, path and method",
  length: "Length of the URL",
  host: "Host filter",
  origin: "Origin of the page",
  identity: "Identity",
  interest: "Registered interest",
  route: "Route",
});
const MARKS = /** @type {Record<string, string>} */ ({ passes: "✓", refuses: "✕", asks: "?" });

const form = /** @type {HTMLFormElement} */ (find("#ask"));
let timer = /** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined);
let asked = 0;
let onSubject = /** @type {(question: Record<string, string> | undefined) => void} */ (() => {});

form.addEventListener("submit", (event) => {
  event.preventDefault();
  void explain();
});
form.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(() => void explain(), 250);
});

/**
 * Tells which request is shown.
 *
 * @param {(question: Record<string, string> | undefined) => void} listener
 */
export function follow(listener) {
  onSubject = listener;
}

/**
 * Fills the form as a link says, and explains it.
 *
 * @param {URLSearchParams} link
 */
export function open(link) {
  for (const name of ["method", "url", "origin"]) {
    const value = link.get(name);
    const field = /** @type {HTMLInputElement} */ (form.elements.namedItem(name));
    if (value !== null && field !== null) field.value = value;
  }
  void explain();
}

async function explain() {
  clearTimeout(timer);
  const data = new FormData(form);
  const method = String(data.get("method"));
  const typed = String(data.get("url")).trim();
  if (typed === "") {
    find("#explained").hidden = true;
    return onSubject(undefined);
  }
  const url = /^[a-z]+:\/\//i.test(typed) ? typed : `https://${typed}`;
  const question = {
    url: url.replace(/^ws/i, "http"),
    method: method === "WS" ? "GET" : method,
    kind: method === "WS" ? "websocket" : "http",
    origin: String(data.get("origin")).trim(),
  };
  const own = ++asked;
  try {
    const explanation = await ask(`/subject?${new URLSearchParams(question)}`);
    if (own !== asked) return;
    history.replaceState(
      null,
      "",
      `#explorer?${new URLSearchParams({ method, url: typed, origin: question.origin })}`,
    );
    show(explanation);
    onSubject(explanation.subject === undefined ? undefined : question);
  } catch (error) {
    write(find("#verdict"), error instanceof Error ? error.message : String(error));
  }
}

/** @param {Explanation} explanation */
function show(explanation) {
  const { checks, subject, route, readings, listeners } = explanation;
  find("#explained").hidden = false;
  showTokens(explanation);
  find("#checks").replaceChildren(...checks.map(({ check, verdict, text, status }) =>
    make(
      `li.${verdict}`,
      make("span.mark", MARKS[verdict] ?? ""),
      make(
        "div",
        make("div.strong", CHECKS[check] ?? check, make("span.unseen", `: ${verdict}`)),
        make("div.note", status === undefined ? text : `${status}: ${text}`),
      ),
    )
  ));
  find("#route").replaceChildren(...toRoute(route, readings));
  const heard = listeners ?? [];
  find("#listeners").replaceChildren(
    ...(heard.length > 0
      ? heard.map(({ host, path, method, match }) =>
        make("li.mono", `${method} ${host}${path}${match === "prefix" ? " and below" : ""}`)
      )
      : [
        make(
          "li.note",
          "Nobody has registered for it. A workload that only subscribes is heard all the same.",
        ),
      ]),
  );
  const refusal = checks.find(({ verdict }) => verdict === "refuses");
  write(
    find("#verdict"),
    refusal === undefined
      ? `Goes to ${subject}`
      : `Refused with ${refusal.status}: ${refusal.text}`,
  );
}

/** @param {Explanation} explanation */
function showTokens(
  { subject, hostTokens, pathTokens, uploadSubject, subscribe, mode, isPersistent },
) {
  const box = find("#tokens");
  if (subject === undefined) {
    box.replaceChildren(make("span.note", "It goes nowhere: it is refused before."));
    write(find("#subject-note"), "");
    return;
  }
  const own = hostTokens === undefined ? "" : `.${hostTokens}${pathTokens ? `.${pathTokens}` : ""}`;
  const isConventional = own !== "" && subject.endsWith(own);
  const [front, host, path] = isConventional
    ? [subject.slice(0, -own.length), hostTokens ?? "", pathTokens ?? ""]
    : [subject, "", ""];
  const tokens = [
    ...front.split(".").map((token, index, all) => ({
      token,
      kind: !isConventional
        ? "route"
        : index === all.length - 1
        ? "method"
        : index === all.length - 2
        ? "scheme"
        : "prefix",
    })),
    ...host.split(".").filter(Boolean).map((token) => ({ token, kind: "host" })),
    ...path.split(".").filter(Boolean).map((token) => ({ token, kind: "path" })),
  ];
  box.replaceChildren(...tokens.flatMap(({ token, kind }, index) => {
    const chip = make(`span.token.${kind}`, token);
    if (tokens[index - 1]?.kind !== kind) chip.append(make("small", kind));
    return index === 0 ? [chip] : [make("span.dot", "."), chip];
  }));
  write(
    find("#subject-note"),
    [
      mode === "publish" ? "Nobody's answer is waited for." : "",
      isPersistent ? "It is kept in the stream." : "",
      uploadSubject === undefined ? "" : `Large bodies: ${uploadSubject}.`,
      subscribe.length === 0 ? "" : `The client hears ${subscribe.join(", ")}.`,
    ].filter(Boolean).join(" "),
  );
}

/**
 * @param {Explanation["route"]} route
 * @param {Explanation["readings"]} readings
 */
function* toRoute(route, readings) {
  if (route === undefined) yield make("p", "By the convention: no route takes it.");
  else {
    yield make("p.mono.strong", route.match);
    yield make("p.note", `Route ${route.index + 1} of the configuration`);
    for (const [name, value] of Object.entries(route.params)) {
      yield make("p.note.mono", `:${name} = ${value}`);
    }
  }
  for (const { host, path, route: other, isAsked, auth } of readings) {
    if (isAsked) continue;
    yield make(
      "p.note",
      `${host}${path} has the same subject: ${other.match} asks for ${
        auth === "none" ? "nothing" : auth
      }.`,
    );
  }
}
