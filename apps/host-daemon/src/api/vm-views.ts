// A VM as libvirt shows it, joined with what the catalog knows.
import {
	asKnibError,
	type BackupView,
	type ChainView,
	KnibError,
	type Vm,
	type VmView,
	whySkipped,
} from "@knib/core";
import type { ApiDeps } from "./context.ts";

type Deps = Pick<ApiDeps, "books" | "hypervisor" | "images" | "host">;

const AT_A_TIME = 4;

/** What a view takes of a VM. */
type VmFacts = Pick<Vm, "uuid" | "name" | "disks" | "managedSave"> & { readonly state: string };

/** A VM by name or uuid; rejects with VM_NOT_FOUND. */
export const findVm = async (
	{ hypervisor }: Pick<Deps, "hypervisor">,
	text: string,
): Promise<Vm> => {
	const vm = await hypervisor.vm(text);
	if (vm !== undefined) return vm;
	throw new KnibError("VM_NOT_FOUND", `this host has no VM ${text}`);
};

/** A VM that libvirt has, or had when it was backed up. Rejects with VM_NOT_FOUND when neither knows it. */
export const findVmOrPast = async (deps: Pick<Deps, "hypervisor" | "books">, text: string) => {
	const vm = await deps.hypervisor.vm(text);
	if (vm !== undefined) return { uuid: vm.uuid, name: vm.name };
	const past = (await deps.books.backups.list({ vm: text, all: true })).at(-1);
	if (past !== undefined) return past.vm;
	throw new KnibError("VM_NOT_FOUND", `this host has neither a VM ${text} nor a backup of one`);
};

const sizeOf = async (deps: Deps, path: string, format: string): Promise<number | null> => {
	try {
		return (await deps.images.info(path, format)).virtualSize;
	} catch {
		return null;
	}
};

const diskViews = (deps: Deps, vm: VmFacts): Promise<VmView["disks"]> =>
	Promise.all(
		vm.disks.map(async ({ target, path = null, format = null, ...rest }) => ({
			target,
			path,
			format,
			virtualSize: path !== null && format !== null ? await sizeOf(deps, path, format) : null,
			skipped:
				whySkipped({
					target,
					...rest,
					...(path === null ? {} : { path }),
					...(format === null ? {} : { format }),
				}) ?? null,
		})),
	);

/** The newest proof; that a backup was copied counts only where nothing more was ever shown. */
type Shown = VmView["lastProof"];
const lastProofOf = (backups: readonly BackupView[]): Shown => {
	const newest: { copied: Shown; shown: Shown } = { copied: null, shown: null };
	for (const { id, proof } of backups)
		for (const { level, at } of proof) {
			const kind = level === "copied" ? "copied" : "shown";
			const before = newest[kind];
			if (before === null || at >= before.at) newest[kind] = { level, at, backup: id };
		}
	return newest.shown ?? newest.copied;
};

const risksOf = (
	backups: readonly BackupView[],
	problems: readonly string[],
): readonly string[] => {
	const none = backups.every((backup) => backup.status !== "BackedUp");
	const newest = backups.at(-1);
	const failed =
		newest?.status === "Failed"
			? [`the last backup failed: ${newest.error?.message ?? newest.reason}`]
			: [];
	return [...(none ? ["it has no backup"] : []), ...failed, ...problems];
};

/** What the catalog knows of a VM's restore points. */
type History = {
	readonly backups: readonly BackupView[];
	readonly chains: readonly ChainView[];
};

const historyOf = async ({ books }: Pick<Deps, "books">, vm: string): Promise<History> => ({
	backups: await books.backups.list({ vm, all: true }),
	chains: await books.backups.chains(vm),
});

const byVm = <T extends { readonly vm: { readonly uuid: string } }>(all: readonly T[]) => {
	const groups = new Map<string, T[]>();
	for (const one of all) {
		const group = groups.get(one.vm.uuid);
		if (group === undefined) groups.set(one.vm.uuid, [one]);
		else group.push(one);
	}
	return (vm: string): readonly T[] => groups.get(vm) ?? [];
};

/** The histories of all VMs, read once for the whole list. */
const allHistories = async ({ books }: Pick<Deps, "books">) => {
	const [backupsOf, chains] = await Promise.all([
		books.backups.byVm(),
		books.backups.chains(undefined),
	]);
	const chainsOf = byVm(chains);
	return (vm: string): History => ({ backups: backupsOf(vm), chains: chainsOf(vm) });
};

/** The view of a VM. Effects: reads the headers of its disks. */
export const viewVm = async (deps: Deps, vm: VmFacts, history?: History): Promise<VmView> => {
	const { books } = deps;
	const [{ backups, chains }, offering, record, disks] = await Promise.all([
		history ?? historyOf(deps, vm.uuid),
		books.vms.offeringOf(vm.uuid).catch(() => undefined),
		books.vms.record(vm.uuid),
		diskViews(deps, vm),
	]);
	const open = chains.filter((chain) => chain.state === "open").at(-1);
	const last = backups.findLast((backup) => backup.status === "BackedUp");
	return {
		uuid: vm.uuid,
		name: vm.name,
		host: deps.host.name,
		state: vm.managedSave ? `${vm.state}, saved` : vm.state,
		offering: offering?.name ?? "",
		disks,
		chain: open?.id ?? null,
		lastBackup: last === undefined ? null : { id: last.id, at: last.pointInTime ?? last.createdAt },
		lastProof: lastProofOf(backups),
		atRisk: risksOf(backups, open?.problems ?? []),
		notes: record.notes,
		promise: record.promise ?? null,
	};
};

type Listed = Awaited<ReturnType<Deps["hypervisor"]["list"]>>[number];

/** A VM whose definition cannot be read: shown, with the reason, since leaving it out would say that there is none (I10). */
const unreadable = async (
	deps: Deps,
	listed: Listed,
	history: History,
	error: KnibError,
): Promise<VmView> => {
	if (error.code === "LIBVIRT_UNREACHABLE") throw error;
	const nothing = { disks: [], managedSave: false };
	const view = await viewVm(deps, { ...listed, ...nothing }, history);
	return { ...view, atRisk: [`it cannot be read: ${error.message}`, ...view.atRisk] };
};

const viewListed = async (
	deps: Deps,
	listed: Listed,
	history: History,
): Promise<VmView | undefined> => {
	try {
		const vm = await deps.hypervisor.vm(listed.uuid);
		return vm === undefined ? undefined : await viewVm(deps, vm, history);
	} catch (error) {
		return await unreadable(deps, listed, history, asKnibError(error));
	}
};

/** All VMs of this host by name; one that went away meanwhile is left out. */
export const listVms = async (deps: Deps): Promise<readonly VmView[]> => {
	const [listed, historyOfVm] = await Promise.all([deps.hypervisor.list(), allHistories(deps)]);
	const waiting = [...listed];
	const views: VmView[] = [];
	const worker = async (): Promise<void> => {
		for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
			const view = await viewListed(deps, next, historyOfVm(next.uuid));
			if (view !== undefined) views.push(view);
		}
	};
	await Promise.all(Array.from({ length: AT_A_TIME }, worker));
	return views.sort((a, b) => (a.name < b.name ? -1 : 1));
};
