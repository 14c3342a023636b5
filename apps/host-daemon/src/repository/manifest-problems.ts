// What can be wrong with a manifest or with the links between the manifests of a chain, in words. Pure.
import type { Manifest } from "@knib/core";
import { identityDigest } from "./identity-digest.ts";
import { backupName } from "./layout.ts";

/** Where a manifest was found. */
export type Place = { readonly vm: string; readonly chain: string; readonly name: string };

const layersDiffer = (manifest: Manifest): string | undefined => {
	const { identity, generation } = manifest;
	const disks = new Map(identity.disks.map((disk) => [disk.target, disk.virtualSize]));
	if (disks.size !== generation.layers.length) return "names other layers than disks";
	for (const layer of generation.layers) {
		if (disks.get(layer.target) !== layer.virtualSize) return `names other disks than layers`;
		if (layer.file !== `${layer.target}.qcow2`) return `names a wrong file for ${layer.target}`;
		const parent = layer.backing === null ? "" : layer.backing.split("/").at(1);
		if (layer.backing !== null && layer.backing !== `../${parent}/${layer.file}`) {
			return `names a backing file for ${layer.target} that is none of the chain's`;
		}
	}
	return undefined;
};

/** Why a manifest of the right form cannot be trusted by itself; undefined when it can. Continues a sentence that names its file. */
export const manifestProblem = (manifest: Manifest, place: Place): string | undefined => {
	const { identity } = manifest;
	if (identityDigest(identity) !== manifest.identityDigest) {
		return "was changed after it was published (its identity digest does not fit)";
	}
	if (backupName(identity) !== place.name) return "is not that of this directory";
	if (identity.vm !== place.vm || identity.chain !== place.chain) {
		return "belongs to another VM or chain";
	}
	if (manifest.vm.uuid !== identity.vm) return "names two VMs";
	return layersDiffer(manifest);
};

const backingProblem = (manifest: Manifest): string | undefined => {
	const { parent, generation } = manifest;
	const strange = generation.layers.find(({ backing }) => {
		if (backing === null) return false;
		return parent === null || !backing.split("/").at(1)?.endsWith(`-${parent.id}`);
	});
	return strange === undefined
		? undefined
		: `stands with ${strange.target} on a file that is not its parent's`;
};

const linkProblem = (manifest: Manifest, before: Manifest | undefined): string | undefined => {
	const { parent, identity, generation } = manifest;
	const folded = generation.number > 1;
	const expected = (before?.identity.sequence ?? 0) + 1;
	if (identity.sequence < expected) {
		return `has the number of ${before?.identity.id}: two hosts have written at once`;
	}
	if (identity.sequence !== expected && !folded) {
		return `follows a hole: number ${expected} of the chain is missing or cannot be trusted`;
	}
	if (before === undefined) return parent === null ? undefined : `lacks its parent ${parent.id}`;
	if (parent === null) return "names no parent, although it is not the first of its chain";
	if (parent.id !== before.identity.id) return `lacks its parent ${parent.id}`;
	if (parent.identityDigest !== before.identityDigest) {
		return `was made on another backup than the ${parent.id} that is there`;
	}
	if (identity.fencing < before.identity.fencing) {
		return "was made under an older lease than its parent: two hosts have written at once";
	}
	return undefined;
};

/** Whether a member's data has been folded into the next one, which stands on the same parent since: it only waits to be moved into the trash. */
const isFoldedAway = (manifest: Manifest, next: Manifest | undefined): boolean =>
	next !== undefined &&
	next.generation.number > 1 &&
	manifest.parent !== null &&
	next.parent?.id === manifest.parent.id &&
	next.parent.identityDigest === manifest.parent.identityDigest;

/** What is wrong with the links of a chain's readable manifests, in the order of their sequence. A hole is in order where a consolidation has folded a member into its child. */
export const chainProblems = (manifests: readonly Manifest[]): readonly string[] =>
	manifests
		.filter((manifest, index) => !isFoldedAway(manifest, manifests[index + 1]))
		.flatMap((manifest, index, linked) => {
			const problem = linkProblem(manifest, linked[index - 1]) ?? backingProblem(manifest);
			return problem === undefined ? [] : [`backup ${backupName(manifest.identity)} ${problem}`];
		});
