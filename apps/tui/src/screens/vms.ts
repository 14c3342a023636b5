import type { VmView } from "@knib/core";
import { short, size } from "@knib/core/text";
import type { State } from "../app/state.ts";
import { type Line, type Span, span } from "../view/frame.ts";
import { minute, stateSpan } from "../view/signs.ts";
import { CHAIN_COLUMNS, chainRows } from "./chain-rows.ts";
import { promiseText } from "./promise.ts";
import { emptyWords, fact, longFact, noTarget, type Screen } from "./screen.ts";
import { greyed, vmAge } from "./stale.ts";

const proofOf = (vm: VmView): string =>
	vm.lastProof === null ? "never" : `${vm.lastProof.level} ${minute(vm.lastProof.at)}`;

const riskCell = (vm: VmView, age: string | null): Span => {
	const risks = [...(age === null ? [] : [age]), ...vm.atRisk];
	return risks.length === 0 ? span("✓ no", "good") : span(`! ${risks.join("; ")}`, "warn");
};

/** Inventory: every VM of the host. */
export const vms: Screen = {
	title: () => "VMs",
	target: noTarget,
	body: (state, _, width) => ({
		head: (state.data.vmWarnings ?? []).flatMap((text) => longFact("warning", text, width, "warn")),
		sortable: true,
		empty: emptyWords(state, "vms", "libvirt knows no VMs here"),
		columns: [
			{ head: "VM", width: 18, grows: true },
			{ head: "STATE", width: 11 },
			{ head: "OFFERING", width: 12, from: 100 },
			{ head: "LAST BACKUP", width: 16, from: 60 },
			{ head: "LAST PROOF", width: 26, from: 100 },
			{ head: "AT RISK", width: 0 },
		],
		rows: (state.data.vms ?? []).map((vm) => ({
			id: vm.uuid,
			target: { kind: "vm", id: vm.uuid },
			open: { screen: "vm", id: vm.uuid },
			cells: greyed(
				[
					span(vm.name, "bold"),
					stateSpan(vm.state),
					span(vm.offering),
					span(minute(vm.lastBackup?.at ?? null)),
					{
						...span(proofOf(vm), vm.lastProof === null ? "warn" : "good"),
						key: vm.lastProof?.at ?? "",
					},
					riskCell(vm, vmAge(state, vm)),
				],
				vmAge(state, vm) !== null,
			),
		})),
	}),
};

const diskText = (disk: VmView["disks"][number]): string => {
	const bytes = disk.virtualSize === null ? "" : ` ${size(disk.virtualSize)}`;
	const skipped = disk.skipped === null ? "" : ` (skipped: ${disk.skipped})`;
	return `${disk.target}${bytes} ${disk.format ?? ""} ${disk.path ?? ""}${skipped}`;
};
const vmHead = (state: State, vm: VmView, width: number): readonly Line[] => [
	[span(` ${vm.name}  `, "bold"), stateSpan(vm.state), span(`  ${vm.uuid} on ${vm.host}`, "dim")],
	...(vmAge(state, vm) === null ? [] : [fact("old", vmAge(state, vm) ?? "", "warn")]),
	fact("offering", vm.offering),
	fact(
		"last backup",
		vm.lastBackup === null ? "never" : `${minute(vm.lastBackup.at)} ${short(vm.lastBackup.id)}`,
	),
	fact("last proof", proofOf(vm), vm.lastProof === null ? "warn" : "good"),
	fact("comes back", promiseText(vm.promise)),
	...vm.disks.map((disk) => fact("disk", diskText(disk))),
	...vm.atRisk.flatMap((reason) => longFact("at risk", reason, width, "warn")),
	...vm.notes.flatMap((note) => longFact("note", note, width)),
];

/** One VM and its chains. */
export const vm: Screen = {
	title: (state, route) =>
		state.data.vms?.find((one) => one.uuid === route.id)?.name ?? short(route.id),
	target: ({ id }) => (id === null ? null : { kind: "vm", id }),
	body: (state, route, width) => {
		const found = state.data.vms?.find((one) => one.uuid === route.id);
		return {
			head:
				found === undefined
					? [fact("VM", emptyWords(state, "vms", "it is not on this host any more"))]
					: vmHead(state, found, width),
			sortable: false,
			columns: CHAIN_COLUMNS,
			empty: emptyWords(state, "chains", "no backups yet: b starts one"),
			rows: chainRows(state, route.id),
		};
	},
};
