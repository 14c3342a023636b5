// The flags of commands that re-read backups.
import { KnibError, parseQuantity } from "@knib/core";
import { Flags } from "@oclif/core";

/** `--rate`, in bytes per second. */
export const rateFlag = Flags.custom<number>({
	summary: "read at most so fast, such as 50MB/s; a bare number is in MB/s",
	helpValue: "RATE",
	parse: async (text) => {
		const megabytes = parseQuantity(text, "MB/s");
		if (megabytes !== undefined && megabytes >= 0) return Math.round(megabytes * 1_000_000);
		throw new KnibError("USAGE", `${text} is no rate: write it like 50MB/s or 50`);
	},
})();

/** `--share 1/N`, as N. */
export const shareFlag = Flags.custom<number>({
	summary: "only a part of the bytes: backups whose last check is the longest ago",
	helpValue: "1/N",
	parse: async (text) => {
		const [, digits] = /^1\/([1-9]\d{0,3})$/.exec(text) ?? [];
		if (digits !== undefined) return Number(digits);
		throw new KnibError("USAGE", `${text} is no share: write it like 1/7`);
	},
})();
