import { testBus } from "./bus_conformance.ts";
import { FakeBus, FakeNats } from "./fake_bus.ts";

testBus("FakeBus", (options = {}) => {
  const nats = new FakeNats();
  let { maxPayload = 1024 * 1024 } = options;
  const kill = () => {
    for (const bus of nats.buses) if (bus.state === "connected") bus.setState("disconnected");
    return Promise.resolve();
  };
  return Promise.resolve({
    open() {
      const bus = new FakeBus("connected", nats);
      bus.maxPayload = maxPayload;
      return Promise.resolve(bus);
    },
    kill,
    async restart(options = {}) {
      await kill();
      maxPayload = options.maxPayload ?? maxPayload;
      for (const bus of nats.buses) {
        bus.maxPayload = maxPayload;
        bus.setState("connected");
      }
    },
    [Symbol.asyncDispose]: kill,
  });
});
