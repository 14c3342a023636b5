// The flags of `schedule create` and `schedule update`.
import { KnibError, parseQuantity } from "@knib/core";
import { Flags } from "@oclif/core";
import { parseRetention } from "./offering-flags.ts";

/** What `--cron` is; one command requires it, the other does not. */
export const cronText = {
	summary: 'when: minute, hour, day of month, month, day of week, such as "30 2 * * *"; or @daily',
	helpValue: "CRON",
};

export const scheduleFlags = {
	vm: Flags.string({
		summary: "VMs by name; * stands for any text, ? for one character",
		helpValue: "GLOB",
	}),
	tag: Flags.string({
		summary: "only VMs with this <knib:tag> in their definition's metadata; none = of any tag",
		helpValue: "TAG",
	}),
	tz: Flags.string({ summary: "time zone, such as Europe/Berlin", helpValue: "ZONE" }),
	keep: Flags.string({
		summary:
			"what is kept of its backups, such as keepLast=7,keepDaily=14,keepWithin=30d, whatever their offering says; none = as the offering says",
		aliases: ["retention"],
		helpValue: "RULES",
	}),
	isolated: Flags.boolean({
		summary: "take backups that stand alone and leave the chain as it is",
		allowNo: true,
	}),
	jitter: Flags.string({
		summary: "begin up to so much late, so that not all hosts begin at once; in minutes, or 90s",
		helpValue: "TIME",
	}),
};

type Given = {
	readonly cron?: string | undefined;
	readonly tz?: string | undefined;
	readonly vm?: string | undefined;
	readonly tag?: string | undefined;
	readonly keep?: string | undefined;
	readonly isolated?: boolean | undefined;
	readonly jitter?: string | undefined;
};

const NONE = "none";
const MINUTE_MS = 60_000;

const jitterOf = (text: string): number => {
	const minutes = parseQuantity(text, "min");
	if (minutes !== undefined && minutes >= 0) return Math.round(minutes * MINUTE_MS);
	throw new KnibError("USAGE", `--jitter ${text} is no time, such as 10 or 90s`);
};

/** What was given, as the daemon takes it. Throws USAGE. */
export const scheduleFieldsOf = ({ cron, tz, vm, tag, keep, isolated, jitter }: Given) => ({
	...(cron === undefined ? {} : { cron }),
	...(tz === undefined ? {} : { timezone: tz }),
	...(vm === undefined ? {} : { vm }),
	...(tag === undefined ? {} : { tag: tag === NONE ? null : tag }),
	...(keep === undefined ? {} : { retention: keep === NONE ? null : parseRetention(keep, "keep") }),
	...(isolated === undefined ? {} : { isolated }),
	...(jitter === undefined ? {} : { jitterMs: jitterOf(jitter) }),
});
