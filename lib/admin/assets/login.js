// @ts-check
/// <reference lib="dom" />

// A link on another site leads here without the cookie, which is for requests of this site alone. A request
// of this page has it: whoever is logged in need not see the form.
const response = await fetch("/session");
if (response.ok) location.replace(`/${location.hash}`);

export {};
