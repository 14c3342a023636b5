// The contract of DiskImages over real qemu-img.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { diskImagesContract } from "../contracts/disk-images-contract.ts";
import { realImageHarness } from "../contracts/hypervisor-lab-harness.ts";

let directory = "";

test.before(async () => {
	directory = await mkdtemp(join(tmpdir(), "knib-images-"));
});
test.after.always(() => rm(directory, { recursive: true, force: true }));

diskImagesContract(() => realImageHarness(directory));
