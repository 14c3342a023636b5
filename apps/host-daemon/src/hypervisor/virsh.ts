// The real Hypervisor: libvirt through virsh. This file only puts the parts together; each knows one thing.
import { type Clock, type DiskImages, type Hypervisor, type IdSource, KnibError } from "@knib/core";
import { endJob, pullChain } from "./block-jobs.ts";
import { commitDisk } from "./commit-disk.ts";
import { isLiveDefinition } from "./domain-xml.ts";
import { readFileUses } from "./file-uses.ts";
import { execInGuest, freezeGuest, syncAgent, thawGuest } from "./guest-agent.ts";
import type { Converse, Run } from "./run-command.ts";
import { takeScreenshot } from "./screenshot.ts";
import { switchToOverlays } from "./switch-overlays.ts";
import { virshArgv } from "./virsh-argv.ts";
import { inBatches } from "./virsh-batch.ts";
import { createVirsh, stderrOf, type Virsh } from "./virsh-client.ts";
import {
	isUuid,
	parseDominfo,
	parseList,
	parseNames,
	parseState,
	parseStates,
	parseVersions,
} from "./virsh-parse.ts";
import { createSessions } from "./virsh-session.ts";
import { readPicture } from "./vm-picture.ts";

export type HypervisorDeps = {
	/** libvirt's URI, such as `qemu:///system`. */
	readonly uri: string;
	readonly run: Run;
	readonly converse: Converse;
	readonly clock: Clock;
	readonly ids: Pick<IdSource, "random">;
	readonly images: Pick<DiskImages, "chain">;
};

const SHUTDOWN_POLL_MS = 200;

const listVms = async (virsh: Virsh): ReturnType<Hypervisor["list"]> => {
	const [listed, stated] = await Promise.all([virsh(virshArgv.list()), virsh(virshArgv.states())]);
	const vms = parseList(listed);
	const states = parseStates(stated);
	return vms.map((vm) => ({ ...vm, state: states.get(vm.name) ?? "other" }));
};

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const pictureOf = async (virsh: Virsh, uuid: string): ReturnType<Hypervisor["vm"]> => {
	try {
		return await readPicture(virsh, uuid);
	} catch (thrown) {
		if (thrown instanceof KnibError && thrown.code === "VM_NOT_FOUND") return undefined;
		throw thrown;
	}
};

/** Undefined for a VM that libvirt does not have, or that went away while it was looked at. */
const findVm = async (virsh: Virsh, idOrName: string): ReturnType<Hypervisor["vm"]> => {
	if (UUID.test(idOrName)) {
		const vm = await pictureOf(virsh, idOrName.toLowerCase());
		if (vm !== undefined) return vm;
	}
	const found = parseList(await virsh(virshArgv.list())).find((vm) => vm.name === idOrName);
	return found === undefined ? undefined : pictureOf(virsh, found.uuid);
};

const listNetworks = async (
	virsh: Virsh,
): Promise<readonly { name: string; active: boolean }[]> => {
	const all = parseNames(await virsh(virshArgv.networks("all")));
	const active = parseNames(await virsh(virshArgv.networks("active")));
	return all.map((name) => ({ name, active: active.includes(name) }));
};

const settle = async (virsh: Virsh, uuid: string): Promise<void> => {
	const live = isLiveDefinition(await virsh(virshArgv.dumpxml(uuid, "current")));
	try {
		await virsh(virshArgv.barrier(uuid, live ? "live" : "config"));
	} catch (thrown) {
		// It started or stopped right then; the other way round must work.
		if (!/domain is not running|transient/.test(stderrOf(thrown))) throw thrown;
		await virsh(virshArgv.barrier(uuid, live ? "config" : "live"));
	}
};

const undefine = async (virsh: Virsh, uuid: string, nvram: boolean): Promise<void> => {
	const xml = await virsh(virshArgv.dumpxml(uuid, "inactive"));
	const tpm = /<tpm[\s>]/.test(xml);
	await virsh(virshArgv.undefine(uuid, { nvram: !nvram, tpm: tpm && !nvram }));
};

const isOff = async (virsh: Virsh, uuid: string): Promise<boolean> => {
	try {
		const state = parseState(await virsh(virshArgv.state(uuid)));
		return state === "shut off" || state === "crashed";
	} catch (thrown) {
		// A transient VM is gone when it is off.
		if (thrown instanceof KnibError && thrown.code === "VM_NOT_FOUND") return true;
		throw thrown;
	}
};

const shutdown = async (
	deps: { readonly virsh: Virsh; readonly clock: Clock },
	uuid: string,
	deadlineMs: number,
): Promise<void> => {
	const until = deps.clock.monotonic() + deadlineMs;
	if (await isOff(deps.virsh, uuid)) return;
	await deps.virsh(virshArgv.shutdown(uuid));
	while (!(await isOff(deps.virsh, uuid))) {
		if (deps.clock.monotonic() >= until) {
			throw new KnibError("DEADLINE", "the guest did not shut down in time");
		}
		await deps.clock.sleep(SHUTDOWN_POLL_MS);
	}
};

const attach = async (virsh: Virsh, uuid: string, xml: string): Promise<void> => {
	const info = parseDominfo(await virsh(virshArgv.dominfo(uuid)));
	const runs = info.state === "running" || info.state === "paused";
	await virsh(
		virshArgv.attach(uuid, [
			...(runs ? (["live"] as const) : []),
			...(info.persistent ? (["config"] as const) : []),
		]),
		{ input: xml },
	);
};

/** Calls that change a running VM's state: done already is done. */
const unless = async (done: RegExp, work: () => Promise<string>): Promise<void> => {
	try {
		await work();
	} catch (thrown) {
		if (!done.test(stderrOf(thrown))) throw thrown;
	}
};

/** VMs are addressed by uuid: virsh would take a number for an id. */
const byUuid = (uuid: string): string => {
	if (!isUuid(uuid)) throw new KnibError("VM_NOT_FOUND", `${JSON.stringify(uuid)} is no VM's uuid`);
	return uuid;
};

/** The real {@link Hypervisor} on one libvirt. */
export const createHypervisor = (deps: HypervisorDeps): Hypervisor => {
	const { clock } = deps;
	const virsh = inBatches(createSessions(deps), createVirsh(deps));
	const inner = { ...deps, virsh };
	return {
		versions: async () => parseVersions(await virsh(virshArgv.versions())),
		list: () => listVms(virsh),
		vm: (idOrName) => findVm(virsh, idOrName),
		fileUses: () => readFileUses(virsh),
		networks: () => listNetworks(virsh),
		settle: (uuid) => settle(virsh, byUuid(uuid)),
		switchToOverlays: (uuid, overlays) => switchToOverlays(virsh, byUuid(uuid), overlays),
		commit: (uuid, disk, options) => commitDisk(inner, byUuid(uuid), disk, options),
		endBlockJob: (uuid, target, how) => endJob(inner, byUuid(uuid), target, how),
		pull: (uuid, target, rate, options) =>
			pullChain(inner, { uuid: byUuid(uuid), target, rate }, options),
		stoppedByDisk: async (uuid) =>
			/^paused \(I\/O error\)/m.test(await virsh(virshArgv.stateReason(byUuid(uuid)))),
		define: async (xml) => void (await virsh(virshArgv.define(), { input: xml })),
		undefine: (uuid, options = {}) => undefine(virsh, byUuid(uuid), options.nvram === true),
		create: async (xml) => void (await virsh(virshArgv.create(), { input: xml })),
		start: async (uuid) => void (await virsh(virshArgv.start(byUuid(uuid)))),
		shutdown: (uuid, deadlineMs) => shutdown({ virsh, clock }, byUuid(uuid), deadlineMs),
		destroy: (uuid) =>
			unless(/domain is not running/, () => virsh(virshArgv.destroy(byUuid(uuid)))),
		suspend: (uuid) => unless(/already paused/, () => virsh(virshArgv.suspend(byUuid(uuid)))),
		resume: (uuid) => unless(/already running/, () => virsh(virshArgv.resume(byUuid(uuid)))),
		attach: (uuid, deviceXml) => attach(virsh, byUuid(uuid), deviceXml),
		screenshot: (uuid) => takeScreenshot(virsh, byUuid(uuid)),
		agentSync: (uuid, deadlineMs) => syncAgent(inner, byUuid(uuid), deadlineMs),
		freeze: (uuid) => freezeGuest(inner, byUuid(uuid)),
		thaw: (uuid) => thawGuest(inner, byUuid(uuid)),
		guestExec: (uuid, command, signal) => execInGuest(inner, byUuid(uuid), command, signal),
	};
};
