// The daemon's log: JSON lines on stderr, messages as constant past-tense phrases, data in fields.
import pino, { type DestinationStream, type Logger } from "pino";

export type { Logger } from "pino";

/** Names under which nothing is ever logged: keys, guests' passwords in definitions, whatever else must not leave the host. */
const REDACTED = ["privateKey", "password", "passwd", "secret", "token", "invite", "xml"];

/** A logger on `destination`, by default stderr, written without delay so that nothing is lost at exit. */
export const createLogger = (
	level: string,
	destination: DestinationStream = pino.destination({ fd: 2, sync: true }),
): Logger =>
	pino(
		{
			level,
			timestamp: pino.stdTimeFunctions.isoTime,
			base: null,
			redact: { paths: REDACTED.flatMap((name) => [name, `*.${name}`]), censor: "[redacted]" },
		},
		destination,
	);
