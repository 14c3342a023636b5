// A process that merges and says so once it has begun: to be killed.
import { createDiskImages } from "../../apps/host-daemon/src/hypervisor/qemu-img.ts";
import { converseWith, runCommand } from "../../apps/host-daemon/src/hypervisor/run-command.ts";
import { createHypervisor } from "../../apps/host-daemon/src/hypervisor/virsh.ts";
import { systemClock } from "../../apps/host-daemon/src/system-clock.ts";
import { systemIds } from "../../apps/host-daemon/src/system-ids.ts";

const [, , uri = "", uuid = "", base = "", top = ""] = process.argv;
const hypervisor = createHypervisor({
	uri,
	run: runCommand,
	converse: converseWith,
	clock: systemClock,
	ids: systemIds,
	images: createDiskImages({ run: runCommand }),
});
await hypervisor.commit(
	uuid,
	{ target: "vda", base, top },
	{ onProgress: (done) => console.log(done) },
);
