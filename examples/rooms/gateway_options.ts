/**
 * `gateway.yaml`, for those who start the gateway in a program.
 *
 * @module
 */
import { parse } from "yaml";
import type { GatewayOptions } from "@h8s/gateway";
import text from "./gateway.yaml" with { type: "text" };

/** To be spread into the gateway's own options; the gateway checks them. */
export const GATEWAY_OPTIONS: GatewayOptions & { readonly prefix: string } = parse(text);
