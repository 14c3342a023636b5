// Reading, checking and resolving settings. A value that is not acceptable is refused with the form that would be.
import { KnibError } from "./errors.ts";
import { parseQuantity } from "./quantities.ts";
import {
	type NumberSetting,
	SETTINGS,
	type SettingName,
	type SettingRow,
} from "./settings-table.ts";

export * from "./settings-table.ts";

type Row<N extends SettingName> = (typeof SETTINGS)[N];
type ValueOf<R> = R extends { kind: "boolean" }
	? boolean
	: R extends { kind: "number" }
		? number
		: R extends { kind: "choice"; choices: readonly (infer C)[] }
			? C
			: string;

/** The type of a setting's value; numbers are in the table's unit (`settingUnit`). */
export type SettingValue<N extends SettingName = SettingName> = N extends SettingName
	? ValueOf<Row<N>>
	: never;

/** All names, in the table's order. */
export const settingNames: readonly SettingName[] = Object.keys(SETTINGS).filter(
	(name): name is SettingName => Object.hasOwn(SETTINGS, name),
);

/** Rejects a name that is not in the table. Throws SETTING_UNKNOWN with the names that come closest. */
export const parseSettingName = (name: string): SettingName => {
	const known = settingNames.find((candidate) => candidate === name);
	if (known !== undefined) return known;
	const words = name.toLowerCase().split(".");
	const score = (candidate: string) => words.filter((w) => candidate.split(".").includes(w)).length;
	const near = settingNames
		.filter((candidate) => score(candidate) > 0)
		.sort((a, b) => score(b) - score(a))
		.slice(0, 3);
	const like = near.length > 0 ? `; names like it: ${near.join(", ")}` : "";
	throw new KnibError("SETTING_UNKNOWN", `there is no setting ${JSON.stringify(name)}${like}`, {
		details: { name, near },
	});
};

/** A setting's row, with its type widened for code that treats all settings alike. */
export const settingRow = (name: SettingName): SettingRow => SETTINGS[name];

/** The unit of a setting's value, or null. */
export const settingUnit = (name: SettingName): string | null => {
	const row = settingRow(name);
	return row.kind === "number" ? row.unit : null;
};

const DURATION_FORMS = ", or a duration such as 90s, 15min, 2h, 7d";
const formOfNumber = (row: NumberSetting): string => {
	const zero = row.zero === undefined ? "" : ` (0 = ${row.zero})`;
	const noun = `${row.integer ? "a whole number" : "a number"} ${row.unit === null ? "" : `of ${row.unit} `}`;
	const max = row.max === Number.MAX_SAFE_INTEGER ? `from ${row.min}` : `${row.min} to ${row.max}`;
	const base = `${noun}${max}${zero}`;
	if (row.unit === "MB/s") return `${base}, or a rate such as 200MB/s, 1GiB/s`;
	if (row.unit === "bytes") return `${base}, or a size such as 500MB, 4GiB`;
	if (row.unit === "%") return `${base}, such as 5 or 5%`;
	const duration = ["s", "min", "h", "days"].includes(row.unit ?? "");
	return duration ? `${base}${DURATION_FORMS}` : base;
};

/** The accepted form of a setting's value, in words. */
export const settingForm = (name: SettingName): string => {
	const row = settingRow(name);
	switch (row.kind) {
		case "number":
			return formOfNumber(row);
		case "boolean":
			return "true or false";
		case "choice":
			return `one of ${row.choices.join(", ")}`;
		case "path":
			return "an absolute path";
	}
};

const invalid = (name: SettingName, given: unknown): KnibError =>
	new KnibError(
		"SETTING_INVALID",
		`${JSON.stringify(given)} is no value for ${name}: it takes ${settingForm(name)}`,
		{ details: { name, accepted: settingForm(name) } },
	);

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
	["true", true],
	["yes", true],
	["on", true],
	["false", false],
	["no", false],
	["off", false],
]);

const readText = (row: SettingRow, text: string): unknown => {
	switch (row.kind) {
		case "number":
			return parseQuantity(text, row.unit);
		case "boolean":
			return BOOLEANS.get(text.toLowerCase());
		case "choice":
		case "path":
			return text;
	}
};

const isAcceptable = (row: SettingRow, value: unknown): boolean => {
	switch (row.kind) {
		case "number":
			return (
				typeof value === "number" &&
				Number.isFinite(value) &&
				(!row.integer || Number.isSafeInteger(value)) &&
				value >= row.min &&
				value <= row.max
			);
		case "boolean":
			return typeof value === "boolean";
		case "choice":
			return typeof value === "string" && row.choices.includes(value);
		case "path":
			return typeof value === "string" && /^\/[^\p{C}]*$/u.test(value) && value.length <= 4096;
	}
};

const isValueOf = <N extends SettingName>(name: N, value: unknown): value is SettingValue<N> =>
	isAcceptable(settingRow(name), value);

/** Checks a value that is already typed, such as one from the store. Throws SETTING_INVALID. */
export const checkSetting = <N extends SettingName>(name: N, value: unknown): SettingValue<N> => {
	if (isValueOf(name, value)) return value;
	throw invalid(name, value);
};

/** Reads a setting's value as a user writes it: a bare number is in the table's unit. Throws SETTING_INVALID with the accepted form. */
export const parseSetting = <N extends SettingName>(name: N, text: string): SettingValue<N> => {
	const value = readText(settingRow(name), text.trim());
	if (isValueOf(name, value)) return value;
	throw invalid(name, text);
};

/** What each scope sets for one setting; absent = not set there. */
export type SettingLayers = {
	readonly cluster?: unknown;
	readonly host?: unknown;
	/** Only for `backup.chain.size`: the field of the VM's offering. */
	readonly offering?: unknown;
	readonly vm?: unknown;
};
export type SettingSource = keyof SettingLayers | "default";

/** The value that counts and where it comes from: VM, offering, host, cluster, default. Throws SETTING_INVALID on a stored value that is not acceptable. */
export const effectiveSetting = <N extends SettingName>(
	name: N,
	layers: SettingLayers,
): { readonly value: SettingValue<N>; readonly source: SettingSource } => {
	for (const source of ["vm", "offering", "host", "cluster"] as const) {
		const value = layers[source];
		if (value !== undefined) return { value: checkSetting(name, value), source };
	}
	return { value: checkSetting(name, SETTINGS[name].default), source: "default" };
};

const MILLISECONDS: ReadonlyMap<string, number> = new Map([
	["s", 1000],
	["min", 60_000],
	["h", 3_600_000],
	["days", 86_400_000],
]);

/** A setting's duration in milliseconds; its unit is the table's. */
export const settingMilliseconds = (name: SettingName, value: number): number => {
	const factor = MILLISECONDS.get(settingUnit(name) ?? "");
	if (factor === undefined) throw new KnibError("INTERNAL", `${name} is not a duration`);
	return Math.round(value * factor);
};
