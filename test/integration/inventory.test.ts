// VMs stay in view when libvirt does not answer.
import { KnibError, type Vm } from "@knib/core";
import test, { type ExecutionContext } from "ava";
import { connect } from "../../apps/host-daemon/src/api/connect.ts";
import { apiWorld } from "../support/api-world.ts";
import { aVm } from "../support/builders/facts.ts";
import { memoryCatalogDocuments } from "../support/memory-documents.ts";
import { runCli } from "../support/run-cli.ts";

const AT = "2026-01-02T03:04:05.000Z";
const vm = aVm();
const seen = {
	...{ uuid: vm.uuid, name: vm.name, host: "here", state: "running", offering: "default" },
	...{ disks: [], chain: null, lastBackup: null, lastProof: null, atRisk: [], notes: [] },
	promise: null,
};

/** A daemon whose libvirt fails on request. */
const worldOf = async (t: ExecutionContext) => {
	const libvirt = { error: undefined as KnibError | undefined };
	const answer = <T>(value: T): T => {
		if (libvirt.error !== undefined) throw libvirt.error;
		return value;
	};
	const documents = memoryCatalogDocuments();
	const world = await apiWorld({
		documents,
		hypervisor: {
			versions: async () => answer({ libvirt: "9.0.0", qemu: "7.2.0" }),
			list: async () => answer([{ uuid: vm.uuid, name: vm.name, state: vm.state }]),
			vm: async (text): Promise<Vm | undefined> =>
				answer(text === vm.uuid || text === vm.name ? vm : undefined),
		},
	});
	t.teardown(world.close);
	const client = await connect({ socket: world.socket });
	t.teardown(() => client.close());
	const fail = (code: "LIBVIRT_UNREACHABLE" | "COMMAND_FAILED" | "STORE_FAILED"): void => {
		libvirt.error = new KnibError(code, "it is down");
	};
	const cli = (...args: string[]) => runCli(args, { KNIB_SOCKET: world.socket });
	return { documents, api: client.api, fail, cli };
};

test("inventory › shows VMs as they were last seen while libvirt is down, with their age and the fault", async (t) => {
	const { api, fail, cli } = await worldOf(t);
	const [before] = await api.vm.list.query();
	fail("LIBVIRT_UNREACHABLE");
	const { vms, warnings } = await api.vm.inventory.query();
	t.deepEqual(vms, [{ ...before, asOf: AT }]);
	t.deepEqual(warnings, ["the VMs of here are shown as they were last seen: it is down"]);
	const listed = await cli("vm", "list");
	t.is(listed.code, 3);
	t.regex(listed.stdout, /web01 .*, as of 2026-01-02/);
	t.regex(listed.stderr, /^warning: the VMs of here .*: it is down$/m);
	const json = await cli("vm", "list", "--json");
	t.is(json.code, 3);
	t.like(JSON.parse(json.stdout), [{ name: "web01", asOf: AT }]);
	t.like(await api.vm.show.query({ vm: "web01" }), { name: "web01", asOf: AT });
	const shown = await cli("vm", "show", "web01");
	t.is(shown.code, 3);
	t.regex(shown.stderr, /^warning: .*as of/m);
	const status = await cli("status", "--json");
	t.is(status.code, 0);
	t.like(JSON.parse(status.stdout), { vms: [{ asOf: AT }], message: warnings[0] });
});

test("inventory › of an earlier life of knibd is shown while libvirt fails", async (t) => {
	const { api, documents, fail } = await worldOf(t);
	fail("COMMAND_FAILED");
	t.deepEqual((await api.vm.inventory.query()).vms, []);
	const policy = { policy: {}, notes: [] };
	await documents.vms.put({ id: vm.uuid, ...policy, seen, seenAt: AT });
	const { vms, warnings } = await api.vm.inventory.query();
	t.like(vms, [{ uuid: vm.uuid, name: "web01", state: "running", asOf: AT }]);
	t.is(warnings.length, 1);
});

test("inventory › tells faults that are not libvirt's as they are", async (t) => {
	const { api, fail } = await worldOf(t);
	fail("STORE_FAILED");
	await t.throwsAsync(() => api.vm.list.query(), { code: "STORE_FAILED" });
});
