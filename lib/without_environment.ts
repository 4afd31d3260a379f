/**
 * Libraries that look for switches in the environment, which the program has no permission to read.
 *
 * @module
 */
import process from "node:process";

/**
 * Does something while the environment is empty.
 *
 * @param work May be asynchronous; nothing else is to read the environment meanwhile.
 * @returns What it does.
 */
export function withoutEnvironment<T>(work: () => T): T {
  const { env } = process;
  process.env = {};
  const restore = () => {
    process.env = env;
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
