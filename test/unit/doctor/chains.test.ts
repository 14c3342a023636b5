import { type ChainView, KnibError, type VmView } from "@knib/core";
import test from "ava";
import { checkChains } from "../../../apps/host-daemon/src/doctor/check-chains.ts";

const CHAIN = "01a207c4-df00-77d5-87a1-00000000abcd";

const vm: VmView = {
	...{ uuid: "u", name: "web", host: "here", state: "running", offering: "default", disks: [] },
	...{ chain: CHAIN, lastBackup: null, lastProof: null, atRisk: [], notes: [], promise: null },
};
const chain: ChainView = {
	...{ id: CHAIN, vm: { uuid: "u", name: "web" }, repository: "main", state: "open" },
	...{ endReason: null, backups: [], size: 0, problems: [] },
};

test("doctor › says that open chains can go on", async (t) => {
	const found = await checkChains(
		{ vms: [vm], chains: [chain] },
		async () => "incremental: 2 of 8",
	);
	t.deepEqual(
		found.map((one) => one.state),
		["ok"],
	);
});

test("doctor › says of a chain that it cannot go on, and why", async (t) => {
	const [found] = await checkChains(
		{ vms: [vm], chains: [chain] },
		async () => "full: the overlay of vda is gone",
	);
	t.is(found?.state, "warning");
	t.is(found?.name, "chain 0000abcd of VM web");
	t.regex(found?.message ?? "", /next backup is a full: the overlay of vda is gone/);
});

test("doctor › says why a VM cannot be backed up, and asks nothing of other hosts' VMs", async (t) => {
	const away = { ...vm, name: "away", hostId: "other" };
	const asked: string[] = [];
	const found = await checkChains({ vms: [vm, away], chains: [] }, async (uuid) => {
		asked.push(uuid);
		throw new KnibError("REPOSITORY_UNREACHABLE", "/srv is not mounted", {
			details: { hint: "mount it" },
		});
	});
	t.deepEqual(asked, ["u"]);
	t.deepEqual(
		found.map(({ state, message, fix }) => ({ state, message, fix })),
		[
			{
				state: "warning",
				message: "the VM cannot be backed up now: /srv is not mounted",
				fix: "mount it",
			},
		],
	);
});

test("doctor › shows what is wrong with a chain's files, and what keeps an extra layer", async (t) => {
	const notes = ["extra layer present on vda: a is used elsewhere (snapshot of u)"];
	const found = await checkChains(
		{ vms: [{ ...vm, notes }], chains: [{ ...chain, problems: ["0001 is missing"] }] },
		async () => "incremental: 2 of 8",
	);
	t.deepEqual(
		found.map((one) => [one.state, one.fix]),
		[
			["failure", "knib chain verify 0000abcd"],
			["warning", "nothing, or remove what uses it: virsh snapshot-list web"],
		],
	);
});
