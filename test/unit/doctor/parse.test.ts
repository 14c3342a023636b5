import test from "ava";
import { loadConfig } from "../../../apps/host-daemon/src/config.ts";
import {
	checkNode,
	checkQemu,
	parseQemuVersion,
} from "../../../apps/host-daemon/src/doctor/check-programs.ts";
import { parseQemuUser } from "../../../apps/host-daemon/src/qemu-user.ts";

test("parseQemuVersion › reads what qemu-img prints", (t) => {
	t.deepEqual(parseQemuVersion("qemu-img version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)"), [7, 2]);
	t.deepEqual(parseQemuVersion("qemu-img version 10.0.0"), [10, 0]);
	t.is(parseQemuVersion("no version"), undefined);
});

test("parseQemuUser › knows the names of Debian and Fedora", (t) => {
	const debian =
		"root:x:0:0::/root:/bin/sh\nlibvirt-qemu:x:64055:106::/var/lib/libvirt:/usr/sbin/nologin\n";
	t.deepEqual(parseQemuUser(debian), { name: "libvirt-qemu", uid: 64_055, gid: 106 });
	t.deepEqual(parseQemuUser("qemu:x:107:107:qemu user:/:/sbin/nologin"), {
		name: "qemu",
		uid: 107,
		gid: 107,
	});
	t.is(parseQemuUser("root:x:0:0::/root:/bin/sh\nlibvirt-qemu:broken"), undefined);
});

const deps = async (stdout: string, nodeVersion = "24.12.0") => ({
	config: await loadConfig({ flags: { config: "/dev/null" }, env: {} }),
	env: {},
	uid: 0,
	nodeVersion,
	run: async () => ({ exitCode: 0, stdout: Buffer.from(stdout), stderr: "", truncated: false }),
});

for (const [version, state] of [
	["4.2.1", "failure"],
	["5.1.0", "failure"],
	["5.2.0", "warning"],
	["7.2.0", "ok"],
	["10.1.0", "ok"],
] as const) {
	test(`checkQemu › qemu ${version} is a ${state}`, async (t) => {
		const [found] = await checkQemu(await deps(`qemu-img version ${version}`));
		t.is(found?.state, state);
	});
}

for (const [version, state] of [
	["20.20.2", "failure"],
	["22.19.0", "failure"],
	["22.20.0", "ok"],
	["23.11.0", "failure"],
	["24.11.1", "failure"],
	["24.12.0", "ok"],
	["25.1.0", "failure"],
	["26.0.0", "ok"],
] as const) {
	test(`checkNode › Node ${version} is a ${state}`, async (t) => {
		const [found] = await checkNode(await deps("", version));
		t.is(found?.state, state);
	});
}
