import { KnibError } from "@knib/core";
import test from "ava";
import { type KnownBackups, vmOfAct } from "../../../apps/host-daemon/src/audit/act-vm.ts";

const WEB = { uuid: "11111111-2222-4333-8444-555555555555", name: "web01" };
const known = (wanted: string, text: string): { vm: typeof WEB } => {
	if (text === wanted) return { vm: WEB };
	throw new KnibError("NOT_FOUND", `there is no ${text}`);
};
const backups: KnownBackups = {
	list: async ({ vm }) => ([WEB.name, WEB.uuid].includes(vm) ? [{ vm: WEB }] : []),
	find: async (text) => known("abcd", text),
	findChain: async (text) => known("c0de", text),
};

for (const [what, input, vm] of [
	["named by its uuid", { vm: WEB.uuid }, WEB],
	["never backed up", { vm: "new" }, { uuid: "new", name: "new" }],
	["of a backup", { backup: "abcd", dryRun: false }, WEB],
	["of a chain", { chain: "c0de" }, WEB],
	["of a job's request", { type: "DeleteBackup", backup: "abcd" }, WEB],
	["of a job's request for a host", { host: "beta", request: { backup: "abcd" } }, WEB],
	["of a backup that is gone", { backup: "none" }, null],
	["of none", { name: "gold" }, null],
	["of no input", undefined, null],
] as const) {
	test(`vmOfAct › finds the VM ${what}`, async (t) => {
		t.deepEqual(await vmOfAct(backups, input), vm);
	});
}
