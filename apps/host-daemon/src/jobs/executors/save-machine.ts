import { chmod, copyFile, cp, mkdir, stat, writeFile } from "node:fs/promises";
import { KnibError, type Outcomes, type Vm } from "@knib/core";
import { requireVm } from "../../facts/gather-vm.ts";
import { namesInDefinition } from "../../hypervisor/definition-names.ts";
import type { Executor } from "../context.ts";

/** Where libvirt keeps the state of emulated TPMs. */
const SWTPM = "/var/lib/libvirt/swtpm";

const isThere = async (path: string): Promise<boolean> =>
	stat(path).then(
		() => true,
		(error: unknown) => {
			if (error instanceof Error && "code" in error && error.code === "ENOENT") return false;
			throw error;
		},
	);

const writeSecret = (path: string, text: string): Promise<void> =>
	writeFile(path, text, { mode: 0o600 });

const saveFirmware = async (vm: Vm, directory: string): Promise<readonly string[]> => {
	const files: string[] = [];
	if (vm.nvram !== undefined && (await isThere(vm.nvram))) {
		await copyFile(vm.nvram, `${directory}/nvram`);
		await chmod(`${directory}/nvram`, 0o600);
		files.push("nvram");
	}
	const tpm = `${SWTPM}/${vm.uuid}`;
	if (vm.tpm && (await isThere(tpm))) {
		await mkdir(`${directory}/tpm`, { recursive: true, mode: 0o700 });
		await cp(tpm, `${directory}/tpm`, { recursive: true });
		files.push("tpm");
	}
	return files;
};

/** The rest of the machine goes in beside the layers (SPEC 2.9): both definitions with their secrets, NVRAM, TPM state. */
export const saveMachine: Executor<"save-machine"> = {
	run: async (_step, context): Promise<Outcomes> => {
		const { plan, deps } = context;
		const repository = await context.repository();
		if (plan.type !== "Backup")
			throw new KnibError("INTERNAL", "a machine is saved by a backup only");
		const { path } = await repository.incoming(plan.backup);
		const vm = await requireVm(deps.hypervisor, plan.vm.uuid);
		const files = ["domain-inactive.xml"];
		await writeSecret(`${path}/domain-inactive.xml`, vm.xml.inactive);
		await writeSecret(`${path}/domain.xml`, vm.xml.live ?? vm.xml.inactive);
		files.push("domain.xml");
		files.push(...(await saveFirmware(vm, path)));
		return { machine: { files, ...namesInDefinition(vm.xml.inactive) } };
	},
};
