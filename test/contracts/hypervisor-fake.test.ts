import { fakeHypervisorHarness } from "./fake-harness.ts";
import { hypervisorContract } from "./hypervisor-contract.ts";
import { lifecycleContract } from "./hypervisor-lifecycle-contract.ts";

lifecycleContract(hypervisorContract(async () => fakeHypervisorHarness()));
