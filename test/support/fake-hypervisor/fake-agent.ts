// The guest agents of the fake world's VMs.
import { type Hypervisor, KnibError, type VmState } from "@knib/core";
import type { FakeAgent, FakeVm, FakeWorld } from "./fake-world.ts";

/** State of a fake VM. */
export const stateOf = (vm: FakeVm): VmState => {
	if (vm.live === undefined) return "shut off";
	return vm.paused ? "paused" : "running";
};

const agentOf = (vm: FakeVm): FakeAgent => {
	if (vm.agent?.answers !== true || stateOf(vm) !== "running") {
		throw new KnibError("AGENT_SILENT", "the guest agent did not answer");
	}
	return vm.agent;
};

/** The port's calls to the agent. */
export const agentCalls = (world: FakeWorld, get: (uuid: string) => FakeVm) => {
	const { wrap } = world.control;
	return {
		agentSync: wrap("agentSync", async (uuid: string, _deadlineMs: number) => {
			const vm = get(uuid);
			return vm.agent?.answers === true && stateOf(vm) === "running";
		}),
		freeze: wrap("freeze", async (uuid: string) => {
			const agent = agentOf(get(uuid));
			if (agent.frozen) throw new KnibError("AGENT_SILENT", "the guest is frozen already");
			agent.frozen = true;
			return agent.fileSystems;
		}),
		thaw: wrap("thaw", async (uuid: string) => {
			const agent = agentOf(get(uuid));
			const count = agent.frozen ? agent.fileSystems : 0;
			agent.frozen = false;
			return count;
		}),
		guestExec: wrap("guestExec", async (...call: Parameters<Hypervisor["guestExec"]>) => {
			const [uuid, { path, args, maximumOutput }] = call;
			const { exitCode, stdout } = agentOf(get(uuid)).run(path, args);
			const bytes = Buffer.from(stdout);
			return {
				exitCode,
				signal: null,
				stdout: bytes.subarray(0, maximumOutput),
				stderr: Buffer.alloc(0),
				truncated: bytes.length > maximumOutput,
			};
		}),
	};
};
