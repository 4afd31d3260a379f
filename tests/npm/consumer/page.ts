import { connect, serve } from "@h8s/gateway/workload";

const nc = await connect({ servers: "ws://127.0.0.1:9222" });
await serve(nc, { host: "example.com" }, () => new Response("from a page")).finished;
