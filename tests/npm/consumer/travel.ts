/**
 * Goes the way it is told, and prints what it has lived through.
 *
 * @module
 */
import process from "node:process";
import { connect } from "@h8s/gateway/client";

const [, , journey, way] = process.argv as string[];
const { travel } = await import(journey!);
console.log(JSON.stringify(await travel(connect, JSON.parse(way!))));
