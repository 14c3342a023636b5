// Why a restore to a new VM is refused, in the order in which the reasons count: the backup, its bytes, the new VM's name and
// networks, then the storage. Pure.
import { type Refusal, refuse } from "./plan.ts";
import { whyNotQuick } from "./quick-disks.ts";
import type { RestoreReads } from "./read-layers.ts";
import type { NetworkRef, RestoreFacts } from "./restore-facts.ts";
import type { RestoreDiskPlan } from "./steps.ts";

type Why = Refusal | undefined;

type Readable = Pick<RestoreFacts, "view" | "found">;

const ofBackup = ({ view, found }: Readable): Why => {
	const readable = view.status === "BackedUp" || view.status === "Restoring";
	const status = found !== null && found.backup.marks.removed !== null ? "Removed" : view.status;
	if (!readable || status === "Removed") {
		return refuse(
			"REFUSED",
			`backup ${view.id} of ${view.vm.name} is ${status}: it is no restore point`,
			{
				status,
				...(status === "Removed" ? { hint: "bring it back with `knib backup undelete`" } : {}),
			},
		);
	}
	if (found !== null) return undefined;
	return refuse("NOT_FOUND", `no repository of this host holds backup ${view.id}`, {
		hint: "read the repository again with `knib repository rescan`",
	});
};

const ofLayers = ({ view, found }: Readable, reads: RestoreReads | null): Why => {
	const problems = [...(reads?.problems ?? []), ...(found?.layerProblems ?? [])];
	if (problems.length > 0) {
		return refuse(
			"VERIFY_FAILED",
			`backup ${view.id} cannot be read back: ${problems.join("; ")}`,
			{
				problems,
			},
		);
	}
	return undefined;
};

/** Why a backup cannot be read back, whatever for; undefined when it can. */
export const whyNotReadable = (facts: Readable, reads: RestoreReads | null): Why =>
	ofBackup(facts) ?? ofLayers(facts, reads);

const ofDefinition = ({ view, definitionProblem }: RestoreFacts): Why => {
	if (definitionProblem === null) return undefined;
	return refuse(
		"VERIFY_FAILED",
		`the saved definition of ${view.vm.name} cannot be used: ${definitionProblem}`,
	);
};

const ofName = ({ request, vms }: RestoreFacts): Why => {
	const { name } = request;
	if (name.trim() !== name || name === "." || name === "..") {
		return refuse("USAGE", `${JSON.stringify(name)} cannot be a VM's name`);
	}
	if (!vms.some((vm) => vm.name === name || vm.uuid === name)) return undefined;
	return refuse("EXISTS", `there is a VM ${name} on this host`, {
		hint: "give the new VM another name with --as",
	});
};

const ofHost = ({ host, request }: RestoreFacts): Why => {
	const elsewhere = "restore it on a host that has it: `--host`, or `repository add` there";
	if (host.cannotDefine !== null) {
		return refuse("REFUSED", `this host cannot have the VM: ${host.cannotDefine}`, {
			hint: elsewhere,
		});
	}
	if (host.cannotStart === null || !(request.start || request.quick)) return undefined;
	return refuse("REFUSED", `the VM cannot start on this host: ${host.cannotStart}`, {
		hint: `${elsewhere}; or restore it without starting it and change its definition`,
	});
};

const same = (a: NetworkRef, b: NetworkRef): boolean => a.kind === b.kind && a.name === b.name;

const ofNetworks = ({ request, definition, networks }: RestoreFacts): Why => {
	if (definition === null) return undefined;
	const sources = definition.sourceNetworks.map((one) => one.name);
	const unknown = Object.keys(request.networks).filter((name) => !sources.includes(name));
	if (unknown.length > 0) {
		const has = sources.length === 0 ? "none" : sources.join(", ");
		return refuse("USAGE", `the backup's VM has no network ${unknown.join(", ")}; it has ${has}`);
	}
	if (networks === null) return undefined;
	const missing = definition.networks.filter((one) => !networks.some((there) => same(one, there)));
	if (missing.length === 0) return undefined;
	const names = missing.map((one) => `${one.kind} ${one.name}`).join(", ");
	const mapped = Object.entries(request.networks);
	const flags = missing.map(
		({ name }) => `--network ${mapped.find(([, to]) => to === name)?.[0] ?? name}=B`,
	);
	return refuse("REFUSED", `this host has no ${names}`, {
		missing: missing.map((one) => one.name),
		available: networks.map((one) => one.name),
		hint: `connect the VM to another network with ${flags.join(" ")}; there are: ${networks.map((one) => one.name).join(", ") || "none"}`,
	});
};

const ofStorage = ({ storage }: RestoreFacts, disks: readonly RestoreDiskPlan[]): Why => {
	const { directory, free } = storage;
	if (storage.problem !== null || !storage.writable) {
		const why = storage.problem ?? "it cannot be written";
		return refuse("REFUSED", `new disks cannot go to ${directory}: ${why}`, {
			hint: "name another directory with --storage",
		});
	}
	if (storage.taken.length > 0) {
		return refuse("EXISTS", `${storage.taken.join(", ")} exists already`, {
			hint: "give the VM another name with --as, or another directory with --storage",
			paths: storage.taken,
		});
	}
	const needed = disks.reduce((sum, disk) => sum + disk.bytes, 0);
	if (needed <= free) return undefined;
	return refuse(
		"STORAGE_NO_SPACE",
		`the new disks take up to ${needed} bytes, ${directory} has ${free} bytes free`,
		{ needed, free, directory },
	);
};

const ofFirmware = ({ request, definition, firmwareThere }: RestoreFacts): Why => {
	if (!(request.start || request.quick) || firmwareThere || definition === null) return undefined;
	return refuse(
		"REFUSED",
		`firmware ${definition.firmware} is not on this host: the VM cannot start`,
		{
			hint: "install the firmware's package, or restore without --start",
		},
	);
};

/** Why the restore is not made; undefined when nothing stands in its way. */
export const whyNotRestoreNew = (
	facts: RestoreFacts,
	reads: RestoreReads | null,
	disks: readonly RestoreDiskPlan[],
): Why =>
	whyNotReadable(facts, reads) ??
	whyNotQuick(facts.view.id, facts.quick) ??
	ofDefinition(facts) ??
	ofName(facts) ??
	ofHost(facts) ??
	ofNetworks(facts) ??
	ofStorage(facts, disks) ??
	ofFirmware(facts);
