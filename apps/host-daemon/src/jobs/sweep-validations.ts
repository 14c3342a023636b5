// Throw-away VMs and their files that no job knows any more: of a journal that was lost, or a life of the daemon that could not go
// back. Found by name and by this host's own mark; run when no job of this daemon runs.
import { readdir, rm } from "node:fs/promises";
import { asKnibError, type Hypervisor, uuidSchema, VALIDATION_PREFIX } from "@knib/core";
import { TPM_DIRECTORY } from "../facts/gather-restore.ts";
import { childOf, parseDefinition } from "../hypervisor/definition-tree.ts";
import { VALIDATION_NAMESPACE } from "../hypervisor/validation-definition.ts";
import type { JobDeps } from "./context.ts";
import { destroyValidationVm } from "./executors/validation-vm.ts";

type Deps = Pick<JobDeps, "hypervisor" | "clock" | "scratch" | "host">;

/** Whether a definition carries the mark of a host's own throw-away VM. */
export const isOwnValidationVm = (xml: string, host: string): boolean => {
	const mark = childOf(childOf(parseDefinition(xml), "metadata"), "knib:validation");
	return (
		mark?.attributes["xmlns:knib"] === VALIDATION_NAMESPACE && mark.attributes["host"] === host
	);
};

const uuidOf = (name: string): string | undefined =>
	name.startsWith(VALIDATION_PREFIX)
		? uuidSchema.safeParse(name.slice(VALIDATION_PREFIX.length)).data
		: undefined;

const ownVms = async (hypervisor: Hypervisor, host: string): Promise<readonly string[]> => {
	const found: string[] = [];
	for (const { uuid, name } of await hypervisor.list()) {
		if (uuidOf(name) !== uuid) continue;
		const vm = await hypervisor.vm(uuid);
		if (vm !== undefined && isOwnValidationVm(vm.xml.live ?? vm.xml.inactive, host))
			found.push(uuid);
	}
	return found;
};

/** Ends this host's throw-away VMs and removes files of VMs that are no more, except those of the jobs given. Returns what was cleared away, in words. */
export const sweepValidations = async (
	deps: Deps,
	living: ReadonlySet<string>,
): Promise<readonly string[]> => {
	const { hypervisor, host, scratch } = deps;
	const cleared: string[] = [];
	for (const uuid of await ownVms(hypervisor, host.id)) {
		if (living.has(uuid)) continue;
		await destroyValidationVm(deps, uuid);
		await rm(`${TPM_DIRECTORY}/${uuid}`, { recursive: true, force: true });
		cleared.push(`the throw-away VM ${VALIDATION_PREFIX}${uuid}`);
	}
	const names = await readdir(scratch).catch((thrown: unknown): string[] => {
		if (asKnibError(thrown).message.includes("ENOENT")) return [];
		throw thrown;
	});
	for (const name of names) {
		const uuid = uuidOf(name);
		if (uuid === undefined || living.has(uuid) || (await hypervisor.vm(uuid)) !== undefined)
			continue;
		await rm(`${scratch}/${name}`, { recursive: true, force: true });
		cleared.push(`its files ${scratch}/${name}`);
	}
	return cleared;
};
