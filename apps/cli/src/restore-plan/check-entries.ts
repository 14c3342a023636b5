// Every restore of a file is planned before the first is begun, so that what would be refused is refused while nothing is touched.
import {
	asKnibError,
	type BackupShown,
	type JobRequestInput,
	KnibError,
	type PlanView,
	type RestorePlanEntry,
	requestOfEntry,
	viewError,
} from "@knib/core";
import type { KnibClient } from "@knib/host-daemon/client";

/** An entry that the daemon would carry out now. */
export type CheckedEntry = {
	readonly entry: RestorePlanEntry;
	readonly backup: BackupShown;
	/** Name or id of the host that does the work; undefined: the one that is asked. */
	readonly host: string | undefined;
	readonly request: JobRequestInput;
	readonly plan: PlanView;
};

const checkEntry = async (
	{ api }: KnibClient,
	entry: RestorePlanEntry,
	host: string | undefined,
): Promise<CheckedEntry> => {
	const { vm } = entry;
	const named = { backup: entry.backup, ...(vm === undefined ? {} : { vm }) };
	const backup = await api.backup.show.query(named);
	const request = requestOfEntry(entry, backup.id);
	const plan =
		host === undefined
			? await api.job.plan.query(request)
			: await api.job.planOn.query({ host, request });
	return { entry, backup, host, request, plan };
};

/** What a restore makes or overwrites: no two may have the same. */
const targetOf = ({ entry, backup, host }: CheckedEntry): string =>
	entry.mode === "new"
		? `VM ${entry.as}${host === undefined ? "" : ` on ${host}`}`
		: `the disks of VM ${backup.vm.name} (${backup.vm.uuid})`;

const assertApart = (checked: readonly CheckedEntry[]): void => {
	const names = new Map<string, string[]>();
	for (const one of checked) {
		const target = targetOf(one);
		names.set(target, [...(names.get(target) ?? []), one.entry.name]);
	}
	const clashes = [...names].filter(([, entries]) => entries.length > 1);
	if (clashes.length === 0) return;
	const words = clashes.map(([target, entries]) => `${entries.join(" and ")} both make ${target}`);
	throw new KnibError("REFUSED", `nothing was begun: ${words.join("; ")}`, {
		details: { hint: "leave one of them out, or give it another name" },
	});
};

/** Looks up all backups and plans all restores; writes nothing. Rejects with REFUSED naming every entry that is refused and why, or with DAEMON_UNREACHABLE. */
export const checkEntries = async (
	client: KnibClient,
	entries: readonly RestorePlanEntry[],
	host: string | undefined,
): Promise<readonly CheckedEntry[]> => {
	const checked: CheckedEntry[] = [];
	const refused: { name: string; error: KnibError }[] = [];
	for (const entry of entries) {
		try {
			checked.push(await checkEntry(client, entry, entry.host ?? host));
		} catch (thrown) {
			const error = asKnibError(thrown);
			if (error.code === "DAEMON_UNREACHABLE") throw error;
			refused.push({ name: entry.name, error });
		}
	}
	if (refused.length === 0) {
		assertApart(checked);
		return checked;
	}
	const words = refused.map(({ name, error }) => `${name}: ${error.message}`).join("; ");
	const details = {
		entries: refused.map(({ name, error }) => ({ name, error: viewError(error) })),
		hint: "mend or leave out what is named; nothing was touched",
	};
	const count = `${refused.length} of ${entries.length}`;
	throw new KnibError("REFUSED", `nothing was begun: ${count} restores are refused: ${words}`, {
		details,
	});
};
