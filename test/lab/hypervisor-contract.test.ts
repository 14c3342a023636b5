// The hypervisor's contract over real libvirt and qemu, with libvirt's own settings: qemu runs as another user, files change hands.
import test from "ava";
import { hypervisorContract } from "../contracts/hypervisor-contract.ts";
import { realHypervisorHarness } from "../contracts/hypervisor-lab-harness.ts";
import { lifecycleContract } from "../contracts/hypervisor-lifecycle-contract.ts";
import { type Lab, startLab } from "./support/lab.ts";

let lab: Lab;

test.before(async () => {
	lab = await startLab({ flavour: "default" });
});
test.after.always(() => lab?.stop());

lifecycleContract(hypervisorContract(() => realHypervisorHarness(lab)));
