import { asKnibError, type Chain, type Repository } from "@knib/core";

/** What a scan found of one VM. */
export type ScannedVm = {
	readonly vm: string;
	readonly chains: readonly Chain[];
	/** Why the VM's directory could not be read, besides the problems of its chains. */
	readonly problems: readonly string[];
};

const scanVm = async (
	repository: Pick<Repository, "vms" | "chains">,
	vm: string,
): Promise<ScannedVm> => {
	try {
		return { vm, chains: await repository.chains(vm), problems: [] };
	} catch (thrown) {
		const error = asKnibError(thrown);
		if (error.code !== "REPOSITORY_INVALID") throw error;
		// Another repository, or none, may be mounted by now: then asking again rejects.
		await repository.vms();
		return { vm, chains: [], problems: [error.message] };
	}
};

/** Walks all VMs of a repository, one in memory at a time. Rejects when the repository does not answer: an answer that could not be read is not an empty one (I10). */
export async function* scanRepository(
	repository: Pick<Repository, "vms" | "chains">,
): AsyncGenerator<ScannedVm> {
	for (const vm of await repository.vms()) yield await scanVm(repository, vm);
}
