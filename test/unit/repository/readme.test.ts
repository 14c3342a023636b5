import { execFileSync, spawnSync } from "node:child_process";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import anyTest from "ava";
import { README_TEXT } from "../../../apps/host-daemon/src/repository/readme-text.ts";
import { aRepository, temporaryDirectory } from "./support/directory-harness.ts";
import { EXPECTED_XML, ORIGINAL_XML } from "./support/readme-definitions.ts";

const test = spawnSync("qemu-img", ["--version"]).status === 0 ? anyTest : anyTest.skip;
const CHAIN = "vms/11111111-2222-4333-8444-555555555555/0196f000-0000-7000-8000-00000000c001";
const MANIFEST = `{
  "identity": {
    "pointInTime": "2026-01-02T03:04:05.000Z"
  },
  "vm": {
    "uuid": "11111111-2222-4333-8444-555555555555",
    "name": "web",
    "state": "running"
  }
}
`;

/** The commands of README.txt, with the four values of step 2 set as it asks. */
const commands = (values: Readonly<Record<string, string>>): string =>
	README_TEXT.split("\n")
		.filter((line) => line.startsWith("    "))
		.map((line) => line.slice(4))
		.map((line) => {
			const [, name = ""] = /^([A-Z]+)=\S+$/.exec(line) ?? [];
			return values[name] === undefined ? line : `${name}=${values[name]}`;
		})
		.join("\n");

const image = (directory: string, file: string, pattern: number, backing?: string): void => {
	const over = backing === undefined ? [] : ["-F", "qcow2", "-b", backing];
	const run = (command: string, ...args: readonly string[]) =>
		execFileSync(command, args, { cwd: directory, stdio: "ignore" });
	run("qemu-img", "create", "-q", "-f", "qcow2", ...over, file, "8M");
	run("qemu-io", "-f", "qcow2", "-c", `write -P ${pattern} ${pattern}M 1M`, file);
};

/** Two backups of a VM with two disks, as they lie in a repository. */
const fillRepository = async (repository: string): Promise<string> => {
	const names = [
		"0001-0196f000-0000-7000-8000-000000000001",
		"0002-0196f000-0000-7000-8000-000000000002",
	];
	for (const [index, name] of names.entries()) {
		const directory = join(repository, CHAIN, name);
		await mkdir(directory, { recursive: true });
		for (const disk of ["vda", "vdb"]) {
			const backing = index === 0 ? undefined : `../${names[0]}/${disk}.qcow2`;
			image(directory, `${disk}.qcow2`, index + 1, backing);
		}
		await writeFile(join(directory, "domain-inactive.xml"), ORIGINAL_XML);
		await writeFile(join(directory, "nvram"), "variables");
		await writeFile(join(directory, "manifest.json"), MANIFEST);
		execFileSync("sh", ["-c", "sha256sum *.qcow2 *.xml nvram manifest.json > SHA256SUMS"], {
			cwd: directory,
		});
	}
	return join(CHAIN, names[1] ?? "");
};

/** A `virsh` that notes what it is asked. */
const fakeVirsh = async (directory: string): Promise<string> => {
	const path = join(directory, "bin");
	await mkdir(path);
	await writeFile(join(path, "virsh"), `#!/bin/sh\necho "$@" >> ${directory}/virsh.log\n`);
	await chmod(join(path, "virsh"), 0o755);
	return path;
};

for (const shell of ["bash", "dash"]) {
	const run = spawnSync(shell, ["-c", "true"]).status === 0 ? test : anyTest.skip;
	run(
		`README.txt › restores a VM when its commands are followed literally in ${shell}`,
		async (t) => {
			const repository = await aRepository(t);
			const directory = await temporaryDirectory(t);
			const backup = await fillRepository(repository.path);
			t.is(await readFile(join(repository.path, "README.txt"), "utf8"), README_TEXT);
			const dest = join(directory, "images");
			await mkdir(dest);
			const bin = await fakeVirsh(directory);
			const values = { REPO: repository.path, BACKUP: backup, DEST: dest, NAME: "restored" };
			const output = execFileSync(shell, ["-e", "-c", commands(values)], {
				cwd: repository.path,
				env: { PATH: `${bin}${delimiter}${process.env["PATH"]}` },
				encoding: "utf8",
			});
			t.regex(output, new RegExp(`${backup} web 2026-01-02T03:04:05.000Z`));
			t.is(output.match(/^intact: 000/gm)?.length, 2);
			t.notRegex(output, /DAMAGED|EXISTS/);
			t.is(
				await readFile(join(dest, "restored.xml"), "utf8"),
				EXPECTED_XML.replaceAll("DEST", dest),
			);
			t.is(await readFile(join(dest, "restored-nvram.fd"), "utf8"), "variables");
			for (const disk of ["vda", "vdb"]) {
				const args = ["compare", "-f", "qcow2", "-F", "qcow2"];
				const original = join(repository.path, backup, `${disk}.qcow2`);
				const copy = join(dest, `restored-${disk}.qcow2`);
				t.is(spawnSync("qemu-img", [...args, original, copy]).status, 0);
				const info: unknown = JSON.parse(
					execFileSync("qemu-img", ["info", "--output=json", copy], { encoding: "utf8" }),
				);
				t.false(Object.hasOwn(Object(info), "backing-filename"));
			}
			const asked = await readFile(join(directory, "virsh.log"), "utf8");
			t.is(asked, `define ${dest}/restored.xml\nstart restored\n`);
		},
	);
}

test("README.txt › names the damaged backup and goes on", async (t) => {
	const repository = await aRepository(t);
	const backup = await fillRepository(repository.path);
	await writeFile(
		join(repository.path, backup, "..", "0001-0196f000-0000-7000-8000-000000000001", "nvram"),
		"rot",
	);
	const steps = commands({ REPO: repository.path, BACKUP: backup, DEST: "/nowhere", NAME: "x" });
	const check = steps.slice(0, steps.indexOf('cd "$REPO/$BACKUP"\n'));
	const run = spawnSync("sh", ["-c", check], { cwd: repository.path, encoding: "utf8" });
	t.regex(run.stdout, /DAMAGED: 0001-/);
	t.regex(run.stdout, /intact: 0002-/);
});

test("README.txt › starts no VM on a disk that was there before", async (t) => {
	const repository = await aRepository(t);
	const directory = await temporaryDirectory(t);
	const backup = await fillRepository(repository.path);
	await writeFile(join(directory, "restored-vda.qcow2"), "another VM's");
	const values = { REPO: repository.path, BACKUP: backup, DEST: directory, NAME: "restored" };
	const env = { PATH: `${await fakeVirsh(directory)}${delimiter}${process.env["PATH"]}` };
	const run = spawnSync("sh", ["-c", commands(values)], {
		cwd: repository.path,
		encoding: "utf8",
		env,
	});
	t.regex(run.stdout, /restored-vda\.qcow2 EXISTS/);
	t.is(await readFile(join(directory, "restored-vda.qcow2"), "utf8"), "another VM's");
	t.notRegex(await readFile(join(directory, "virsh.log"), "utf8"), /restored/);
});

anyTest("README.txt › has no exclamation mark where an interactive shell would replace it", (t) => {
	const lines = README_TEXT.split("\n").filter((line) => line.startsWith("    "));
	const outside = lines.map((line) => line.replaceAll(/'[^']*'/g, ""));
	t.deepEqual(
		outside.filter((line) => line.includes("!")),
		[],
	);
});
