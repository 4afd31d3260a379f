import { Random } from "../harness/random.ts";
import { checkPairs } from "./one_reading.ts";

Deno.test("two requests with the same subject are decided alike, whatever they spell", () => {
  checkPairs(new Random(1), 20_000);
});
