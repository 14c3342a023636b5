import type { Vm } from "@knib/core";
import test from "ava";
import { createOverlayWatch } from "../../../apps/host-daemon/src/hook/overlay-watch.ts";
import { aDisk, aVm } from "../../support/builders/facts.ts";

const COVERED = { base: "/images/web.raw", mark: "1:1.0", overlay: "/images/web.o", vm: "web" };

const look = async (vms: readonly Vm[], isEmpty = false) => {
	const alerts: [string, string | null][] = [];
	const watch = createOverlayWatch({
		hypervisor: {
			list: async () => vms,
			vm: async (uuid) => vms.find((vm) => vm.uuid === uuid),
		},
		index: {
			isEmpty: async () => isEmpty,
			find: async (path) => (path === COVERED.base ? COVERED : undefined),
		},
		clock: { sleep: async () => undefined },
		alert: async ({ name }, text) => {
			alerts.push([name, text]);
		},
		onProblem: (error) => {
			throw error;
		},
	});
	await watch.look();
	return alerts;
};

const on = (path: string, name: string, state: Vm["state"] = "running"): Vm =>
	aVm({ uuid: name, name, state, disks: [aDisk({ path })] });

test("overlayWatch › raises a running VM whose disk lies below an overlay, and no other", async (t) => {
	const thief = on(COVERED.base, "thief");
	const found = await look([
		thief,
		on(COVERED.overlay, "web"),
		on(COVERED.base, "off", "shut off"),
	]);
	t.is(found.length, 2);
	t.regex(found[0]?.[1] ?? "", /is \/images\/web\.raw, below \/images\/web\.o: .*VM web wrote/);
	t.deepEqual(found[1], ["web", null]);
});

test("overlayWatch › asks libvirt nothing while nothing is covered", async (t) => {
	t.deepEqual(await look([on(COVERED.base, "thief")], true), []);
});
