/**
 * What the page is made of. As text, so that the gateway needs no permission to read files.
 *
 * @module
 */
import uPlot from "uplot/dist/uPlot.iife.min.js" with { type: "text" };
import uPlotStyle from "uplot/dist/uPlot.min.css" with { type: "text" };
import style from "./assets/admin.css" with { type: "text" };
import chartsScript from "./assets/charts.js" with { type: "text" };
import clusterScript from "./assets/cluster.js" with { type: "text" };
import connectionsScript from "./assets/connections.js" with { type: "text" };
import domScript from "./assets/dom.js" with { type: "text" };
import explorerScript from "./assets/explorer.js" with { type: "text" };
import formatScript from "./assets/format.js" with { type: "text" };
import heatScript from "./assets/heat.js" with { type: "text" };
import icon from "./assets/icon.svg" with { type: "text" };
import loginScript from "./assets/login.js" with { type: "text" };
import mainScript from "./assets/main.js" with { type: "text" };
import overviewScript from "./assets/overview.js" with { type: "text" };
import tapScript from "./assets/tap.js" with { type: "text" };
import trafficScript from "./assets/traffic.js" with { type: "text" };
import loginPage from "./pages/login.html" with { type: "text" };
import mainPage from "./pages/main.html" with { type: "text" };

const SCRIPT = "text/javascript; charset=utf-8";
const STYLE = "text/css; charset=utf-8";

const ASSETS: ReadonlyMap<string, { readonly type: string; readonly text: string }> = new Map([
  ["admin.css", { type: STYLE, text: style }],
  ["charts.js", { type: SCRIPT, text: chartsScript }],
  ["cluster.js", { type: SCRIPT, text: clusterScript }],
  ["connections.js", { type: SCRIPT, text: connectionsScript }],
  ["dom.js", { type: SCRIPT, text: domScript }],
  ["explorer.js", { type: SCRIPT, text: explorerScript }],
  ["format.js", { type: SCRIPT, text: formatScript }],
  ["heat.js", { type: SCRIPT, text: heatScript }],
  ["icon.svg", { type: "image/svg+xml", text: icon }],
  ["login.js", { type: SCRIPT, text: loginScript }],
  ["main.js", { type: SCRIPT, text: mainScript }],
  ["overview.js", { type: SCRIPT, text: overviewScript }],
  ["tap.js", { type: SCRIPT, text: tapScript }],
  ["traffic.js", { type: SCRIPT, text: trafficScript }],
  ["uplot.css", { type: STYLE, text: uPlotStyle }],
  // Its small build is a script; this makes a module of it.
  ["uplot.js", { type: SCRIPT, text: `${uPlot}\nexport default uPlot;\n` }],
]);

/** Nothing but our own files, no inline script or style, no markup made of text, in nobody's frame. */
const SECURITY: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; " +
    "require-trusted-types-for 'script'; trusted-types 'none'",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  // With no referrer at all the form would come from the origin "null".
  "referrer-policy": "same-origin",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

/** What a response may have besides its body. */
export interface Rendering {
  /** @default 200 */
  readonly status?: number;
  /** @default plain text */
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * A response of the page.
 *
 * @param body Text of this module, or JSON.
 * @returns It, with all that keeps browsers from doing more with it than is meant.
 */
export function respond(
  body: string | ReadableStream<Uint8Array> | null,
  { status = 200, type = "text/plain; charset=utf-8", headers = {} }: Rendering = {},
): Response {
  const own = { "content-type": type, "cache-control": "no-store" };
  return new Response(body, { status, headers: { ...own, ...SECURITY, ...headers } });
}

/**
 * One of the files.
 *
 * @param name E.g. `"admin.css"`.
 */
export function respondAsset(name: string): Response {
  const asset = ASSETS.get(name);
  if (asset === undefined) return respond("There is no such file\n", { status: 404 });
  const headers = { "cache-control": "no-cache" };
  return respond(asset.text, { type: asset.type, headers });
}

/** The page. */
export function respondPage(): Response {
  return respond(mainPage, { type: HTML });
}

/**
 * The form that asks for the key.
 *
 * @param isWrong Whether another one was shown.
 * @returns A 401; its scheme is one for which no browser asks in a window of its own.
 */
export function respondLogin(isWrong: boolean): Response {
  const page = isWrong ? loginPage.replace(" hidden", "") : loginPage;
  const headers = { "www-authenticate": 'Bearer realm="h8s"' };
  return respond(page, { status: 401, type: HTML, headers });
}

const HTML = "text/html; charset=utf-8";
