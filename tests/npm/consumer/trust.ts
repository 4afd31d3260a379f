/**
 * Connects to a server that only the certificate in a file vouches for: with that file, and without.
 *
 * @module
 */
import process from "node:process";
import { connect } from "@h8s/gateway/workload";

const [, , servers, caFile] = process.argv as string[];
for (const tls of [{ caFile: caFile! }, {}]) {
  try {
    const options = { servers: servers!, tls, waitOnFirstConnect: false, log: () => {} };
    const nc = await connect(options);
    await nc.flush();
    await nc.close();
    console.log("connected");
  } catch (error) {
    console.log(/certificate|issuer/i.test(String(error)) ? "not trusted" : error);
  }
}
