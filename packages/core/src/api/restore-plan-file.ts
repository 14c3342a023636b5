// The file of `knib restore plan`: a set of VMs to bring back, which first, and what waits for what. Checked strictly: a misspelt key
// would otherwise silently leave its default in force.
import { z } from "zod";
import { type Refusal, refuse } from "../plan/plan.ts";
import {
	type JobRequestInput,
	restoreInPlaceRequestSchema,
	restoreNewRequestSchema,
} from "./job-request.ts";

const words = z.string().min(1).max(500);

/** What all entries have. */
const common = {
	/** How the file calls it; absent: the name of the new VM, or what `vm` or `backup` says. */
	name: words.optional(),
	/** VM that the backup is of, by name or uuid. */
	vm: words.optional(),
	/** Id, whole or a unique part of it; `latest`: the newest one of `vm`. */
	backup: z.string().min(4).max(500).default("latest"),
	/** Entries that must have succeeded before. */
	after: z.array(words).max(1000).default([]),
	/** Of those that may start, the lowest goes first. */
	priority: z.number().int().min(0).max(1_000_000).default(100),
	/** It is done, and what comes after it starts, only when its guest agent has answered. */
	waitForAgent: z.boolean().default(false),
	/** Host that does the work, by name or id; absent: that of `--host`, else the one that is asked. */
	host: words.optional(),
	start: restoreNewRequestSchema.shape.start,
	quick: restoreNewRequestSchema.shape.quick,
};
const newEntrySchema = z.strictObject({
	...common,
	mode: z.literal("new"),
	/** Name of the new VM. */
	as: restoreNewRequestSchema.shape.name,
	storage: restoreNewRequestSchema.shape.storage,
	networks: restoreNewRequestSchema.shape.networks,
	keepMac: restoreNewRequestSchema.shape.keepMac,
});
const inPlaceEntrySchema = z.strictObject({
	...common,
	mode: z.literal("in-place"),
	shutdown: restoreInPlaceRequestSchema.shape.shutdown,
});
const entrySchema = z.discriminatedUnion("mode", [newEntrySchema, inPlaceEntrySchema]);

const fileSchema = z.strictObject({
	/** Restores at a time. */
	parallel: z.number().int().min(1).max(64).default(1),
	restore: z.array(entrySchema).min(1).max(1000),
});

type Entry = z.infer<typeof entrySchema>;
/** One restore of the file, with the name by which others wait for it. */
export type RestorePlanEntry = Entry & { readonly name: string };
/** The file, understood. */
export type RestorePlanFile = {
	readonly parallel: number;
	readonly entries: readonly RestorePlanEntry[];
};

const nameOf = (entry: Entry): string =>
	entry.name ?? (entry.mode === "new" ? entry.as : (entry.vm ?? entry.backup));

const why = (entry: Entry): string | null => {
	if (entry.backup === "latest" && entry.vm === undefined) {
		return "`latest` is a VM's newest backup: say which with vm, or give the id of a backup";
	}
	if (entry.waitForAgent && !entry.start && !entry.quick) {
		return "waitForAgent wants a VM that is started: say start = true or quick = true";
	}
	return null;
};

const KEYS = {
	file: Object.keys(fileSchema.shape),
	new: Object.keys(newEntrySchema.shape),
	"in-place": Object.keys(inPlaceEntrySchema.shape),
};

const modeAt = (given: unknown, index: unknown): "new" | "in-place" => {
	const list = z.looseObject({ restore: z.array(z.unknown()) }).safeParse(given);
	const entry = list.success ? list.data.restore[Number(index)] : undefined;
	return z.looseObject({ mode: z.literal("in-place") }).safeParse(entry).success
		? "in-place"
		: "new";
};

const issueText = (given: unknown, { path, message, code }: z.core.$ZodIssue): string => {
	const [list, index, ...rest] = path;
	const entry = list === "restore" && index !== undefined;
	const where = entry
		? [`restore ${Number(index) + 1}`, ...rest.map(String)].join(": ")
		: path.join(".");
	const isKey = code === "unrecognized_keys" && (path.length === 0 || path.length === 2);
	const keys = KEYS[entry ? modeAt(given, index) : "file"];
	const what = isKey ? `${message}; accepted: ${keys.join(", ")}` : message;
	const noMode = code === "invalid_union" && rest[0] === "mode";
	return `${where === "" ? "" : `${where}: `}${noMode ? 'is "new" or "in-place"' : what}`;
};

/** What a parsed file says. Refuses with USAGE, naming every key that is wrong and what is accepted. */
export const readRestorePlan = (given: unknown): RestorePlanFile | Refusal => {
	const parsed = fileSchema.safeParse(given);
	if (!parsed.success) {
		const issues = parsed.error.issues.map((issue) => issueText(given, issue));
		return refuse("USAGE", issues.join("; "));
	}
	const { parallel, restore } = parsed.data;
	const problems = restore.flatMap((entry) => {
		const problem = why(entry);
		return problem === null ? [] : [`${nameOf(entry)}: ${problem}`];
	});
	if (problems.length > 0) return refuse("USAGE", problems.join("; "));
	return { parallel, entries: restore.map((entry) => ({ ...entry, name: nameOf(entry) })) };
};

/** The job that an entry asks for, from a backup whose id is known by now. */
export const requestOfEntry = (entry: RestorePlanEntry, backup: string): JobRequestInput => {
	const { start, quick } = entry;
	const asked = { type: "Restore", backup, start, quick } as const;
	if (entry.mode === "in-place") return { ...asked, mode: "in-place", shutdown: entry.shutdown };
	const { as, storage, networks, keepMac } = entry;
	return {
		...asked,
		mode: "new",
		name: as,
		...(storage === undefined ? {} : { storage }),
		networks,
		keepMac,
	};
};

const resultSchema = z.looseObject({
	startedAt: z.string().nullish(),
	agentMs: z.number().nullish(),
});

/** Why a restore whose job succeeded is not what its entry asked for: its VM is not running, or its agent is silent. Null when it is. */
export const whyNotAsAsked = (
	entry: Pick<RestorePlanEntry, "start" | "quick" | "waitForAgent">,
	result: unknown,
): string | null => {
	const { startedAt, agentMs } = resultSchema.safeParse(result).data ?? {};
	if ((entry.start || entry.quick) && typeof startedAt !== "string") {
		return "it is restored, but it was not started";
	}
	if (entry.waitForAgent && typeof agentMs !== "number") {
		return "it is restored and started, but its guest agent did not answer";
	}
	return null;
};
