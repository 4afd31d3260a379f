/**
 * More registered interests.
 *
 * @module
 */
import { pause } from "../../lib/time/within.ts";
import { connect } from "@nats-io/transport";
import {
  INTEREST_INTERVAL_MS,
  renderInterest,
  toInterestSubject,
} from "../../lib/mapping/interest.ts";
import { loadHttp } from "../load/http.ts";
import { dial, get } from "../load/raw.ts";
import { CpuMeter, Unmeasurable } from "../process.ts";
import type { Growth } from "./growth.ts";
import { startGateway } from "./requests.ts";

/** What a load has to be as long as, so that all are registered again meanwhile. */
const LEAST_SECONDS = 6;

/** A request for the last of them while all are registered again as often as workloads do. */
export const interestGrowth: Growth = {
  name: "interests",
  title: "interests of workloads that register again, where no request comes in without one",
  sizes: [1, 100, 1000, 10_000],
  measure: async (size, world) => {
    await using target = await startGateway(world, ["--track-interest"]);
    const nc = await connect({ servers: world.nats.url });
    await using _close = { [Symbol.asyncDispose]: () => nc.close() };
    const publishAll = () => {
      for (let index = 0; index < size; index++) {
        const host = index === size - 1 ? "bench.example.com" : `t${index % 100}.example.com`;
        const path = index === size - 1 ? "/api/v1" : `/api/${index}`;
        nc.publish(
          toInterestSubject("register", { prefix: "h8s", host }),
          renderInterest({ host, path, method: "*", match: "prefix" }),
        );
      }
    };
    const register = async () => {
      publishAll();
      await nc.flush();
      await untilAnswered(target.port);
    };
    await register();
    const cpu = new CpuMeter(target.pid);
    await register();
    const heard = cpu.micros() / 1000;
    const seconds = Math.max(LEAST_SECONDS, world.seconds);
    const again = setInterval(publishAll, INTEREST_INTERVAL_MS);
    try {
      const load = await loadHttp(target, { path: "/api/v1/small", connections: 32, seconds });
      return { ...load, "cpu ms to hear all once": heard };
    } finally {
      clearInterval(again);
    }
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
