// The flags of an offering's fields, shared by create and update, and how they become fields.
import { KnibError, parseQuantity } from "@knib/core";
import { Flags } from "@oclif/core";

/** `--compress` and `--no-compress` are told apart from neither, so that an update changes only what is named. */
const yesNo = (summary: string) => Flags.boolean({ summary, allowNo: true });

export const offeringFlags = {
	compress: yesNo("compress backups"),
	"compression-library": Flags.string({
		summary: "how to compress",
		options: ["zstd", "zlib"] as const,
	}),
	"compress-when": Flags.string({
		summary: "compress after the backup, or during its copy",
		options: ["after", "during"] as const,
	}),
	validate: yesNo("validate backups"),
	"validation-steps": Flags.string({
		summary: "steps of a validation, with commas between",
		options: ["wait_for_boot", "screenshot", "execute_command"] as const,
		multiple: true,
		multipleNonGreedy: true,
		delimiter: ",",
	}),
	"allow-quick-restore": yesNo("allow quick restores"),
	"allow-extract-file": yesNo("allow files to be taken out"),
	"chain-size": Flags.string({
		summary: "backups in a chain; 1 = always full, below 1 = endless, none = as the setting says",
		helpValue: "N",
	}),
	tracker: Flags.string({
		summary: "how changes are tracked",
		options: ["overlay", "bitmap", "auto"] as const,
	}),
	repository: Flags.string({
		summary: "where chains go, by name or id; none = chosen for each chain",
		helpValue: "R",
	}),
	retention: Flags.string({
		summary: "what is kept, such as keepLast=7,keepDaily=14,keepWithin=30d; none = everything",
		helpValue: "RULES",
	}),
	description: Flags.string({ summary: "a line for people", helpValue: "TEXT" }),
};

type Given = {
	readonly compress?: boolean | undefined;
	readonly "compression-library"?: string | undefined;
	readonly "compress-when"?: string | undefined;
	readonly validate?: boolean | undefined;
	readonly "validation-steps"?: readonly string[] | undefined;
	readonly "allow-quick-restore"?: boolean | undefined;
	readonly "allow-extract-file"?: boolean | undefined;
	readonly "chain-size"?: string | undefined;
	readonly tracker?: string | undefined;
	readonly repository?: string | undefined;
	readonly retention?: string | undefined;
	readonly description?: string | undefined;
};

const NONE = "none";

const chainSize = (text: string): number => {
	if (/^-?\d{1,6}$/.test(text)) return Number(text);
	throw new KnibError("USAGE", `--chain-size ${text} is neither a whole number nor none`);
};

const RULES = ["keepLast", "keepHourly", "keepDaily", "keepWeekly", "keepMonthly", "keepYearly"];
const DAY_MS = 86_400_000;

/** `keepLast=7,keepWithin=30d` as fields; a bare keepWithin is in days. `flag` is the one that says so. Throws USAGE. */
export const parseRetention = (text: string, flag = "retention"): Record<string, number> =>
	Object.fromEntries(
		text.split(",").map((rule) => {
			const [name = "", value = ""] = rule.split("=");
			const within = name === "keepWithin";
			const number = within ? parseQuantity(value, "days") : parseQuantity(value, null);
			if (number === undefined || !(within || RULES.includes(name))) {
				const accepted = [...RULES, "keepWithin"].join(", ");
				throw new KnibError(
					"USAGE",
					`--${flag} ${rule} is no RULE=NUMBER: the rules are ${accepted}`,
				);
			}
			return [name, within ? Math.round(number * DAY_MS) : number];
		}),
	);

const present = <T extends object>(fields: T) =>
	Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

const orNull = <T>(text: string | undefined, read: (text: string) => T): T | null | undefined => {
	if (text === undefined) return undefined;
	return text === NONE ? null : read(text);
};

/** The fields that were given; null where the user takes one away. The daemon checks them. Throws USAGE. */
export const changesOf = (given: Given) =>
	present({
		compress: given.compress,
		compressionLibrary: given["compression-library"],
		compressWhen: given["compress-when"],
		validate: given.validate,
		validationSteps: given["validation-steps"],
		allowQuickRestore: given["allow-quick-restore"],
		allowExtractFile: given["allow-extract-file"],
		backupChainSize: orNull(given["chain-size"], chainSize),
		tracker: given.tracker,
		repository: orNull(given.repository, (text) => text),
		retention: orNull(given.retention, (text) => parseRetention(text)),
		description: given.description,
	});

/** The same for a new offering, which has nothing to take away. */
export const fieldsOf = (given: Given) =>
	Object.fromEntries(Object.entries(changesOf(given)).filter(([, value]) => value !== null));
