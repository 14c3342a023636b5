import { KnibError } from "@knib/core";
import { Cron } from "croner";

type Times = { readonly cron: string; readonly timezone: string };

const open = ({ cron, timezone }: Times): Cron =>
	new Cron(cron, { timezone, mode: "5-part", paused: true });

/** The next runs after a moment, ms since 1970. A time that a clock change leaves out is run right after it. Throws USAGE with what is wrong. */
export const runsAfter = (times: Times, afterMs: number, count: number): readonly number[] => {
	try {
		return open(times)
			.nextRuns(count, new Date(afterMs))
			.map((date) => date.getTime());
	} catch (cause) {
		const why = cause instanceof Error ? cause.message.replace(/^CronPattern: /, "") : "";
		const what = `"${times.cron}" in ${times.timezone} is no schedule: ${why}`;
		throw new KnibError("USAGE", what, {
			cause,
			details: { hint: 'five fields, such as "30 2 * * *", and a zone such as Europe/Berlin' },
		});
	}
};

/** This host's own time zone. */
export const localZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;
