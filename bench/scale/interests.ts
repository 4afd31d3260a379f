/**
 * More registered interests.
 *
 * @module
 */
import { pause } from "../../lib/time/within.ts";
import { connect } from "@nats-io/transport";
import { renderInterest, toInterestSubject } from "../../lib/mapping/interest.ts";
import { loadHttp } from "../load/http.ts";
import { dial, get } from "../load/raw.ts";
import { CpuMeter, Unmeasurable } from "../process.ts";
import type { Growth } from "./growth.ts";
import { startGateway } from "./requests.ts";

/** A request for the last of them, and what it takes to hear all of them once, as happens each 5 s. */
export const interestGrowth: Growth = {
  name: "interests",
  title: "interests of workloads, where no request comes in without one",
  sizes: [1, 100, 1000, 10_000],
  measure: async (size, world) => {
    await using target = await startGateway(world, ["--track-interest"]);
    const nc = await connect({ servers: world.nats.url });
    await using _close = { [Symbol.asyncDispose]: () => nc.close() };
    const register = async () => {
      for (let index = 0; index < size; index++) {
        const host = index === size - 1 ? "bench.example.com" : `t${index % 100}.example.com`;
        const path = index === size - 1 ? "/api/v1" : `/api/${index}`;
        nc.publish(
          toInterestSubject("register", { prefix: "h8s", host }),
          renderInterest({ host, path, method: "*", match: "prefix" }),
        );
      }
      await nc.flush();
      await untilAnswered(target.port);
    };
    await register();
    const cpu = new CpuMeter(target.pid);
    await register();
    const heard = cpu.micros() / 1000;
    const { seconds } = world;
    const load = await loadHttp(target, { path: "/api/v1/small", connections: 32, seconds });
    return { ...load, "cpu ms to hear all once": heard };
  },
};

/** The last one registered is the one that is asked for. */
async function untilAnswered(port: number): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    using conn = await dial(port);
    try {
      return await get(conn, "/api/v1/small");
    } catch {
      await pause(50);
    }
  }
  throw new Unmeasurable("the interest is not heard");
}
