// The rest of the hypervisor's contract: the life of a VM and its guest agent.
import type { ExecutionContext } from "ava";
import type { HypervisorHarness } from "./hypervisor-harness.ts";
import type { HypervisorTest } from "./hypervisor-vms.ts";
import { MIB, rejectsWith } from "./image-harness.ts";

type T = ExecutionContext<{ harness: HypervisorHarness }>;

const UUID = "0b0f3e9a-6f3e-4f6c-9d0c-2f6f6a3f9a0f";

const aDefinition = async (t: T, name = "one"): Promise<string> => {
	const { harness } = t.context;
	const path = await harness.image(`${name}.qcow2`, { format: "qcow2", size: MIB });
	const disks = [{ target: "vda", path, format: "qcow2" }];
	return harness.definition({ name, uuid: UUID, disks });
};

const stateOf = async (t: T): Promise<string | undefined> =>
	(await t.context.harness.hypervisor.vm(UUID))?.state;

const life = (test: HypervisorTest): void => {
	test("life › goes from its definition through running and paused to nothing", async (t) => {
		const { hypervisor } = t.context.harness;
		await hypervisor.define(await aDefinition(t));
		t.is(await stateOf(t), "shut off");
		await hypervisor.start(UUID);
		await rejectsWith(t, hypervisor.start(UUID), "COMMAND_FAILED");
		await hypervisor.suspend(UUID);
		await hypervisor.suspend(UUID);
		t.is(await stateOf(t), "paused");
		await hypervisor.resume(UUID);
		await hypervisor.resume(UUID);
		t.is(await stateOf(t), "running");
		await hypervisor.destroy(UUID);
		await hypervisor.destroy(UUID);
		t.is(await stateOf(t), "shut off");
		await rejectsWith(t, hypervisor.suspend(UUID), "COMMAND_FAILED");
		await hypervisor.undefine(UUID);
		t.is(await stateOf(t), undefined);
	});
	test("define › replaces the definition of the same uuid and refuses a taken name", async (t) => {
		const { hypervisor, definition } = t.context.harness;
		const xml = await aDefinition(t);
		await hypervisor.define(xml);
		await hypervisor.define(xml);
		t.is((await hypervisor.list()).length, 1);
		const twin = definition({ name: "one", disks: [] });
		await rejectsWith(t, hypervisor.define(twin), "COMMAND_FAILED");
		await rejectsWith(t, hypervisor.define("<domain>"), "COMMAND_FAILED");
	});
	test("create › starts a VM that is gone once it is off", async (t) => {
		const { hypervisor } = t.context.harness;
		await hypervisor.create(await aDefinition(t));
		t.like(await hypervisor.vm(UUID), { state: "running", persistent: false });
		await hypervisor.destroy(UUID);
		t.is(await hypervisor.vm(UUID), undefined);
	});
	test("create › leaves nothing when the VM cannot be started", async (t) => {
		const { hypervisor, definition, directory } = t.context.harness;
		const disks = [{ target: "vda", path: `${directory}/none.qcow2`, format: "qcow2" }];
		const xml = definition({ name: "one", uuid: UUID, disks });
		await rejectsWith(t, hypervisor.create(xml), "COMMAND_FAILED");
		t.is(await hypervisor.vm(UUID), undefined);
	});
	test("start › is refused while another VM writes the disk", async (t) => {
		const { hypervisor, definition } = t.context.harness;
		const xml = await aDefinition(t);
		await hypervisor.create(xml);
		const path = (await hypervisor.vm(UUID))?.disks[0]?.path ?? "";
		const disks = [{ target: "vda", path, format: "qcow2" }];
		await rejectsWith(t, hypervisor.create(definition({ name: "two", disks })), "COMMAND_FAILED");
	});
	test("attach › adds a disk, now and for later", async (t) => {
		const { harness } = t.context;
		await harness.hypervisor.define(await aDefinition(t));
		await harness.hypervisor.start(UUID);
		const path = await harness.image("more.raw", { format: "raw", size: MIB });
		const xml = `<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='${path}'/><target dev='vdb' bus='virtio'/></disk>`;
		await harness.hypervisor.attach(UUID, xml);
		t.is((await harness.hypervisor.vm(UUID))?.disks.at(-1)?.path, path);
		await harness.hypervisor.destroy(UUID);
		t.is((await harness.hypervisor.vm(UUID))?.disks.at(-1)?.path, path);
	});
	test("screenshot › is a PNG", async (t) => {
		const { hypervisor } = t.context.harness;
		await hypervisor.create(await aDefinition(t));
		const png = Buffer.from(await hypervisor.screenshot(UUID));
		t.is(png.subarray(1, 4).toString(), "PNG");
	});
	test("agent › is silent where there is none", async (t) => {
		const { hypervisor } = t.context.harness;
		await hypervisor.create(await aDefinition(t));
		t.false(await hypervisor.agentSync(UUID, 1000));
		await rejectsWith(t, hypervisor.freeze(UUID), "AGENT_SILENT");
		await rejectsWith(t, hypervisor.thaw(UUID), "AGENT_SILENT");
	});
};

const agents = (test: HypervisorTest): void => {
	test("agent › answers, freezes, thaws and runs programs", async (t) => {
		const { harness } = t.context;
		const { hypervisor } = harness;
		const uuid = await harness.guest([]);
		t.true(await hypervisor.agentSync(uuid, 60_000));
		const frozen = await hypervisor.freeze(uuid);
		t.true(frozen > 0);
		t.true(await hypervisor.agentSync(uuid, 60_000), "it answers while frozen");
		t.is(await hypervisor.thaw(uuid), frozen);
		t.is(await hypervisor.thaw(uuid), 0);
		const limits = { deadlineMs: 120_000, maximumOutput: 8 };
		const args = ["a  b", "$c"];
		const echo = await hypervisor.guestExec(uuid, { path: "/bin/echo", args, ...limits });
		t.is(Buffer.from(echo.stdout).toString(), "a  b $c\n");
		t.like(echo, { exitCode: 0, signal: null, truncated: false });
		const long = { path: "/bin/echo", args: ["123456789"], ...limits };
		t.true((await hypervisor.guestExec(uuid, long)).truncated);
		await hypervisor.suspend(uuid);
		t.false(await hypervisor.agentSync(uuid, 60_000));
		await rejectsWith(t, hypervisor.freeze(uuid), "AGENT_SILENT");
		await hypervisor.resume(uuid);
		await hypervisor.shutdown(uuid, 240_000);
		t.is((await hypervisor.vm(uuid))?.state, "shut off");
		await hypervisor.shutdown(uuid, 1000);
	});
};

/** Registers the suite; the tests of the agent need a guest that boots. */
export const lifecycleContract = (test: HypervisorTest): void => {
	life(test);
	agents(test);
};
