import {
	delayOf,
	KnibError,
	matchIds,
	type Schedule,
	type ScheduleChanges,
	type ScheduleCreateInput,
	type SchedulePreview,
	type ScheduleView,
	scheduleFieldsSchema,
	scheduleSchema,
} from "@knib/core";
import type { Change } from "./change.ts";
import { localZone, runsAfter } from "./cron.ts";
import type { Documents } from "./documents.ts";

type Deps = {
	readonly schedules: Documents<Schedule>;
	readonly host: { readonly id: string };
	readonly now: () => string;
	readonly uuid: () => string;
};

const vmsOf = ({ vm, tag }: Pick<Schedule, "vm" | "tag">): string =>
	tag === undefined ? vm : `${vm} with the tag ${tag}`;

/** The schedules of all hosts, by unique names. */
export const createScheduleBook = ({ schedules, host, now, uuid }: Deps) => {
	const nowMs = (): number => Date.parse(now());

	const find = async (text: string): Promise<Schedule> => {
		const all = await schedules.all();
		const named = all.find(({ name }) => name === text);
		const matches = named === undefined ? matchIds(all, text, ({ id }) => id) : [named];
		const [only] = matches;
		if (only === undefined) throw new KnibError("NOT_FOUND", `there is no schedule ${text}`);
		if (matches.length === 1) return only;
		const candidates = matches.map(({ id, name }) => `${id} ${name}`);
		throw new KnibError("AMBIGUOUS_ID", `${text} matches ${matches.length} schedules`, {
			details: { candidates },
		});
	};

	const mustBeFree = async (name: string, except?: string): Promise<void> => {
		const taken = (await schedules.all()).some((one) => one.name === name && one.id !== except);
		if (taken) throw new KnibError("EXISTS", `a schedule named ${name} exists already`);
	};

	const runsOf = (schedule: Schedule, count: number): readonly string[] =>
		runsAfter(schedule, nowMs(), count).map((ms) =>
			new Date(ms + delayOf(schedule, host.id)).toISOString(),
		);

	const viewOf = (schedule: Schedule): ScheduleView => ({
		...schedule,
		nextRun: runsOf(schedule, 1)[0] ?? null,
	});

	const saving = (type: string, schedule: Schedule, explain: readonly string[]) => ({
		type,
		explain,
		apply: async () => {
			await schedules.put(schedule);
			return viewOf(schedule);
		},
	});

	return {
		find,
		all: () => schedules.all(),
		list: async (): Promise<readonly ScheduleView[]> =>
			(await schedules.all()).map(viewOf).sort((a, b) => (a.name < b.name ? -1 : 1)),
		preview: async (text: string, count: number): Promise<Omit<SchedulePreview, "vms">> => {
			const schedule = await find(text);
			return { schedule, runs: runsOf(schedule, count) };
		},
		/** Rejects with EXISTS, and with USAGE for a cron or time zone that is none. */
		create: async (input: ScheduleCreateInput): Promise<Change<ScheduleView>> => {
			const { dryRun: _, timezone = localZone(), ...rest } = input;
			await mustBeFree(rest.name);
			const fields = scheduleFieldsSchema.parse({ ...rest, timezone });
			const at = now();
			const schedule = { ...fields, id: uuid(), createdAt: at, changedAt: at };
			const [first] = runsOf(schedule, 1);
			return saving("ScheduleCreate", schedule, [
				`creates the schedule ${schedule.name}: VMs ${vmsOf(schedule)}, next ${first ?? "never"}`,
			]);
		},
		update: async (text: string, changes: ScheduleChanges): Promise<Change<ScheduleView>> => {
			const before = await find(text);
			if (changes.name !== undefined) await mustBeFree(changes.name, before.id);
			const given = Object.entries(changes).filter(([, value]) => value !== undefined);
			const values = Object.entries({ ...before, ...changes, changedAt: now() }).filter(
				([, value]) => value !== null && value !== undefined,
			);
			const after = scheduleSchema.parse(Object.fromEntries(values));
			runsOf(after, 1);
			const words = given.map(([key, value]) =>
				value === null ? `takes ${key} away` : `sets ${key} to ${JSON.stringify(value)}`,
			);
			const kept =
				before.retention !== undefined && after.retention === undefined
					? [
							"what it took under its own rules is kept; what it takes from now on, as offerings say",
						]
					: [];
			const first = `changes the schedule ${before.name}`;
			return saving("ScheduleUpdate", after, [first, ...words, ...kept]);
		},
		delete: async (text: string): Promise<Change<ScheduleView>> => {
			const schedule = await find(text);
			return {
				type: "ScheduleDelete",
				explain: [
					`deletes the schedule ${schedule.name}; its backups stay`,
					...(schedule.retention === undefined
						? []
						: ["what it took under its own retention rules is judged by nobody from then on"]),
				],
				apply: async () => {
					await schedules.remove([schedule.id]);
					return { ...schedule, nextRun: null };
				},
			};
		},
	};
};
export type ScheduleBook = ReturnType<typeof createScheduleBook>;
