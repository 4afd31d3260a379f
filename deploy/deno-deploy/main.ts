/**
 * The gateway on Deno Deploy. Its options are variables there, at least H8S_NATS_URL with a wss:// address; those
 * that have to fit the platform stand in deno.json.
 *
 * @module
 */
import { main } from "@h8s/gateway/main";

Deno.exit(await main(Deno.args));
