// Every setting of knib: kind, unit, range, default and the scopes at which it may be set. A value is kept in the table's unit.

/** Where a setting may be set, widest first; an offering's field counts as a scope for the setting that names it. */
export type SettingScope = "cluster" | "host" | "vm";

/** A unit in which values are kept, shown and, for a bare number, read. */
export type SettingUnit =
	| "s"
	| "min"
	| "h"
	| "days"
	| "MB/s"
	| "bytes"
	| "%"
	| "attempts"
	| "jobs"
	| "disks"
	| "backups";

type Common = { readonly scopes: readonly SettingScope[]; readonly summary: string };

/** A number with its range, both ends included; `integer` refuses fractions. */
export type NumberSetting = Common & {
	readonly kind: "number";
	readonly unit: SettingUnit | null;
	readonly integer: boolean;
	readonly min: number;
	readonly max: number;
	readonly default: number;
	/** What the value 0 stands for, where it is not a plain number. */
	readonly zero?: string;
};
export type BooleanSetting = Common & { readonly kind: "boolean"; readonly default: boolean };
export type ChoiceSetting = Common & {
	readonly kind: "choice";
	readonly choices: readonly [string, ...string[]];
	readonly default: string;
};
/** An absolute path on a host. */
export type PathSetting = Common & { readonly kind: "path"; readonly default: string };
export type SettingRow = NumberSetting | BooleanSetting | ChoiceSetting | PathSetting;

const CLUSTER = ["cluster"] as const;
const HOST = ["cluster", "host"] as const;
const VM = ["cluster", "host", "vm"] as const;

type Range = { min: number; max: number; zero?: string };
const number =
	(unit: SettingUnit | null, integer: boolean) =>
	(value: number, scopes: readonly SettingScope[], range: Range, summary: string) =>
		({ kind: "number", unit, integer, default: value, scopes, summary, ...range }) as const;

const count = number(null, true);
const factor = number(null, false);
const jobs = number("jobs", true);
const attempts = number("attempts", true);
const seconds = number("s", false);
const minutes = number("min", false);
const hours = number("h", false);
const days = number("days", false);
const rate = number("MB/s", false);
const bytes = number("bytes", true);
const percent = number("%", false);
const flag = (value: boolean, scopes: readonly SettingScope[], summary: string) =>
	({ kind: "boolean", default: value, scopes, summary }) as const;

const NO_LIMIT = "no limit";
const MONTH_S = 2_592_000;
const YEAR_H = 8760;

/** The table of SPEC 8: names as in CloudStack, with kind, range, default and scopes. */
export const SETTINGS = {
	"backup.chain.size": number("backups", true)(
		8,
		VM,
		{ min: -1, max: 10_000, zero: "endless" },
		"backups in a chain before the next full one; 1 = always full, below 1 = endless",
	),
	"backup.timeout": seconds(43_200, VM, { min: 1, max: MONTH_S }, "time limit of a backup"),
	"backup.compression.task.enabled": flag(true, HOST, "whether compressions are started"),
	"backup.compression.max.concurrent.operations.per.host": jobs(
		5,
		HOST,
		{ min: 0, max: 1000, zero: NO_LIMIT },
		"compressions on one host at a time",
	),
	"backup.compression.max.concurrent.operations": jobs(
		0,
		CLUSTER,
		{ min: 0, max: 1000, zero: NO_LIMIT },
		"compressions on all hosts at a time",
	),
	"backup.compression.max.job.retries": attempts(
		2,
		HOST,
		{ min: 1, max: 100 },
		"attempts at a compression",
	),
	"backup.compression.retry.interval": minutes(
		60,
		HOST,
		{ min: 0, max: 43_200 },
		"wait between attempts at a compression",
	),
	"backup.compression.timeout": seconds(
		28_800,
		VM,
		{ min: 1, max: MONTH_S },
		"time limit of a compression",
	),
	"backup.compression.minimum.free.storage": factor(
		1,
		HOST,
		{ min: 0, max: 100 },
		"free space that a compression needs, as a multiple of the backup's size",
	),
	"backup.compression.coroutines": count(
		1,
		HOST,
		{ min: 1, max: 16 },
		"parallel requests of a compression",
	),
	"backup.compression.rate.limit": rate(
		0,
		HOST,
		{ min: 0, max: 1_000_000, zero: NO_LIMIT },
		"rate of a compression",
	),
	"backup.validation.task.enabled": flag(true, HOST, "whether validations are started"),
	"backup.validation.interval": hours(
		24,
		VM,
		{ min: 0, max: 10 * YEAR_H },
		"time between validations of a backup",
	),
	"backup.validation.max.concurrent.operations": jobs(
		0,
		CLUSTER,
		{ min: 0, max: 1000, zero: NO_LIMIT },
		"validations on all hosts at a time",
	),
	"backup.validation.max.concurrent.operations.per.host": jobs(
		1,
		HOST,
		{ min: 0, max: 1000, zero: NO_LIMIT },
		"validations on one host at a time",
	),
	"backup.validation.max.job.retries": attempts(
		2,
		HOST,
		{ min: 1, max: 100 },
		"attempts at a validation",
	),
	"backup.validation.retry.interval": minutes(
		60,
		HOST,
		{ min: 0, max: 43_200 },
		"wait between attempts at a validation",
	),
	"backup.validation.boot.default.timeout": seconds(
		240,
		VM,
		{ min: 1, max: 86_400 },
		"how long a validated VM may take to boot",
	),
	"backup.validation.script.default.timeout": seconds(
		60,
		VM,
		{ min: 1, max: 86_400 },
		"how long the command in the guest may take",
	),
	"backup.validation.screenshot.default.wait": seconds(
		60,
		VM,
		{ min: 0, max: 86_400 },
		"wait before the screenshot",
	),
	"backup.validation.end.chain.on.fail": flag(
		true,
		VM,
		"whether a failed validation ends the chain",
	),
	"backup.validation.repeat": {
		kind: "choice",
		choices: ["digest", "boot"],
		default: "digest",
		scopes: VM,
		summary: "what a repeated validation does",
	},
	"backup.validation.memory.limit": bytes(
		0,
		VM,
		{ min: 0, max: Number.MAX_SAFE_INTEGER, zero: "as the VM" },
		"memory of a validated VM",
	),
	"backup.copy.parallel.disks": number("disks", true)(
		2,
		VM,
		{ min: 1, max: 64 },
		"disks of one VM copied at a time",
	),
	"backup.copy.rate.limit": rate(
		0,
		VM,
		{ min: 0, max: 1_000_000, zero: NO_LIMIT },
		"rate of the copy to the repository",
	),
	"backup.trash.grace": hours(
		24,
		HOST,
		{ min: 0, max: YEAR_H },
		"how long a deleted backup can be brought back",
	),
	"backup.restore.keep.old": hours(
		24,
		VM,
		{ min: 0, max: YEAR_H },
		"how long replaced disks are kept after a restore in place",
	),
	"backup.restore.consolidate.rate.limit": rate(
		0,
		VM,
		{ min: 0, max: 1_000_000, zero: NO_LIMIT },
		"rate at which each disk of a quick restore is pulled in",
	),
	"backup.repository.minimum.free": percent(
		5,
		HOST,
		{ min: 0, max: 100 },
		"free space that a repository must keep",
	),
	"backup.overlay.maximum.growth": bytes(
		0,
		VM,
		{ min: 0, max: Number.MAX_SAFE_INTEGER, zero: NO_LIMIT },
		"size of an overlay at which an alert is raised",
	),
	"backup.freeze.maximum": seconds(
		10,
		VM,
		{ min: 1, max: 60 },
		"how long the file systems of a guest may stay frozen",
	),
	"jobs.keep": days(30, HOST, { min: 1, max: 3650 }, "how long finished jobs are kept"),
	"backup.validation.drills.per.night": count(
		0,
		HOST,
		{ min: 0, max: 1000, zero: "off" },
		"restore drills a night",
	),
	"backup.validation.max.age": days(
		0,
		VM,
		{ min: 0, max: 3650, zero: "off" },
		"age of the newest proof at which a VM is at risk",
	),
	"host.scratch.directory": {
		kind: "path",
		default: "/var/lib/knib/scratch",
		scopes: HOST,
		summary: "directory for overlays of block devices and for validations",
	},
} as const satisfies Record<string, SettingRow>;

/** The name of a setting. */
export type SettingName = keyof typeof SETTINGS;
