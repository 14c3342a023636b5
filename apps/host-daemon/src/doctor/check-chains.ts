// Chains against libvirt and the files they stand on: what the next backup of each VM would be, found as a dry run finds it, and what
// the last look at the repositories found wrong.
import { type ChainView, type VmView, viewError } from "@knib/core";
import { short } from "@knib/core/text";
import { type Finding, failure, ok, warning } from "./check.ts";

type Known = { readonly vms: readonly VmView[]; readonly chains: readonly ChainView[] };

/** The reason that the next backup of a VM would have; rejects with what stands in its way. */
type NextReason = (vm: string) => Promise<string>;

const OPERATORS = /is used elsewhere|internal snapshot/;

const noteOf = (vm: VmView, note: string): Finding =>
	OPERATORS.test(note)
		? warning(
				`VM ${vm.name}`,
				note,
				`nothing, or remove what uses it: virsh snapshot-list ${vm.name}`,
			)
		: warning(`VM ${vm.name}`, note, `knib chain finish ${vm.name}`);

const checkNext = async (vm: VmView, next: NextReason): Promise<readonly Finding[]> => {
	const name = `chain ${short(vm.chain ?? "")} of VM ${vm.name}`;
	try {
		const reason = await next(vm.uuid);
		if (!reason.startsWith("full: ")) return [];
		const why = reason.slice("full: ".length);
		return [
			warning(
				name,
				`it cannot go on, the next backup is a full: ${why}`,
				`knib backup create ${vm.name}`,
			),
		];
	} catch (thrown) {
		const { message, hint } = viewError(thrown);
		return [warning(name, `the VM cannot be backed up now: ${message}`, hint)];
	}
};

/** Looks at the open chains of this host's VMs and at what is known to be wrong with any chain. Reads only. */
export const checkChains = async (
	{ vms, chains }: Known,
	next: NextReason,
): Promise<readonly Finding[]> => {
	const own = vms.filter((vm) => vm.chain !== null && vm.hostId === undefined);
	const going = (await Promise.all(own.map((vm) => checkNext(vm, next)))).flat();
	const damaged = chains.flatMap(({ id, vm, problems }) =>
		problems.map((problem) =>
			failure(`chain ${short(id)} of VM ${vm.name}`, problem, `knib chain verify ${short(id)}`),
		),
	);
	const notes = vms.flatMap((vm) => vm.notes.map((note) => noteOf(vm, note)));
	const found = [...going, ...damaged, ...notes];
	const words = `${own.length} of this host's VMs can go on with an open chain`;
	return found.length === 0 && own.length > 0 ? [ok("chains", words)] : found;
};
