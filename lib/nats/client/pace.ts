/**
 * How often NATS is dialled and asked whether it lives: by the gateway and by workloads, whose package holds
 * nothing of the configuration.
 *
 * @module
 */

/** Milliseconds between attempts, jittered; the last one repeats. */
export const RETRY_DELAYS_MS = [100, 250, 500, 1000, 2000];
/**
 * How often the server is asked whether it lives, and how many such questions may go unanswered: one
 * that hangs is noticed within 6 s. Its answer waits behind the messages that it sends, so that a
 * busy gateway needs a few seconds, not a few moments.
 */
export const PING_INTERVAL_MS = 2000;
export const MAX_PINGS_OUT = 2;
