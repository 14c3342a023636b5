// The flags of commands that re-read backups, and what they say. Bad ones throw USAGE.
import { KnibError, parseQuantity } from "@knib/core";
import { Flags } from "@oclif/core";

export const rateFlag = Flags.string({
	summary: "read at most so fast, such as 50MB/s; a bare number is in MB/s",
	helpValue: "RATE",
});

export const shareFlag = Flags.string({
	summary: "only a part of the bytes: backups whose last check is the longest ago",
	helpValue: "1/N",
});

/** `--rate` in bytes per second, as a field of the request. */
export const rateOf = (text: string | undefined): { readonly rate?: number } => {
	if (text === undefined) return {};
	const megabytes = parseQuantity(text, "MB/s");
	if (megabytes !== undefined && megabytes >= 0) return { rate: Math.round(megabytes * 1_000_000) };
	throw new KnibError("USAGE", `${text} is no rate: write it like 50MB/s or 50`);
};

/** `--share 1/N` as a field of the request. */
export const shareOf = (text: string | undefined): { readonly share?: number } => {
	if (text === undefined) return {};
	const [, digits] = /^1\/([1-9]\d{0,3})$/.exec(text) ?? [];
	if (digits !== undefined) return { share: Number(digits) };
	throw new KnibError("USAGE", `${text} is no share: write it like 1/7`);
};
