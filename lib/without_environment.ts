/**
 * Libraries that look for switches in the environment, which the program has no permission to read.
 *
 * @module
 */
import process from "node:process";

const environment = process.env;
/** There is one environment, and several may be at it at once. */
const works = new Set<symbol>();

/**
 * Does something while the environment is empty.
 *
 * @param work May be asynchronous; nothing else is to read the environment meanwhile.
 */
export function withoutEnvironment<T>(work: () => T): T {
  const self = Symbol("work");
  works.add(self);
  process.env = {};
  const restore = () => {
    works.delete(self);
    if (works.size === 0) process.env = environment;
  };
  let isPending = false;
  try {
    const result = work();
    if (!(result instanceof Promise)) return result;
    isPending = true;
    return result.finally(restore) as T;
  } finally {
    if (!isPending) restore();
  }
}
