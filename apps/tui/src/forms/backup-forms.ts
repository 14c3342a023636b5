import type { ValidationStep } from "@knib/core";
import { short } from "@knib/core/text";
import { jobAct, quoted } from "../app/acts.ts";
import { comesBack } from "../screens/promise.ts";
import { type FormKind, flag, input, isOn, read, vmName, words } from "./form.ts";

const options = (name: string, values: readonly string[]): readonly string[] =>
	values.map((value) => `--${name} ${quoted(value)}`);

/** Options of a backup. */
export const backupForm: FormKind = {
	open: (state, { id }) => {
		const vm = state.data.vms?.find((one) => one.uuid === id);
		const targets = vm?.disks.filter((one) => one.skipped === null).map((one) => one.target) ?? [];
		return {
			title: `back up ${vmName(state, id)}`,
			notes: targets.length === 0 ? [] : [`its disks: ${targets.join(" ")}`],
			fields: [
				flag("isolated", "isolated", false, "a full beside the chain, which goes on as it was"),
				flag("quiesce", "quiesce", false, "freeze the guest's file systems around the snapshot"),
				input("disks", "only disks", "", "such as vda vdb; empty: all that can be backed up"),
				input("excludeDisks", "without disks", "", "such as vdb"),
				input("labels", "labels", "", "words to find it by"),
			],
		};
	},
	act: (state, form) => {
		const vm = form.target.id;
		const [isolated, quiesce] = [isOn(form, "isolated"), isOn(form, "quiesce")];
		const [disks, excludeDisks, labels] = [
			[...words(form, "disks")],
			[...words(form, "excludeDisks")],
			[...words(form, "labels")],
		];
		const cli = [
			`knib backup create ${quoted(vmName(state, vm))}`,
			...(isolated ? ["--isolated"] : []),
			...(quiesce ? ["--quiesce"] : []),
			...options("disk", disks),
			...options("exclude-disk", excludeDisks),
			...options("label", labels),
		].join(" ");
		const request = { type: "Backup", vm, isolated, quiesce, disks, excludeDisks, labels } as const;
		return jobAct(form.title, cli, request);
	},
};

const STEPS: readonly (readonly [ValidationStep, string])[] = [
	["wait_for_boot", "until the guest's agent answers"],
	["screenshot", "keep its screen and judge it"],
	["execute_command", "run the VM's command in it"],
];

/** Steps of a validation. */
export const validateForm: FormKind = {
	open: (state, { id }) => {
		const backup = state.data.backups?.find((one) => one.id === id);
		if (backup === undefined) return null;
		return {
			title: `validate backup ${short(id)} of ${backup.vm.name}`,
			notes: ["it is booted in a throw-away VM without network; nothing of it is kept"],
			fields: [
				...STEPS.map(([step, help]) => flag(step, step, step !== "execute_command", help)),
				flag("digest", "digests only", false, "boot nothing: read all its layers again"),
			],
		};
	},
	act: (_, form) => {
		const cli = `knib backup validate ${short(form.target.id)}`;
		const backup = form.target.id;
		if (isOn(form, "digest")) {
			const request = { type: "BackupValidation", backup, mode: "digest" } as const;
			return jobAct(form.title, `${cli} --digests-only`, request);
		}
		const steps = STEPS.flatMap(([step]) => (isOn(form, step) ? [step] : []));
		if (steps.length === 0) return "choose at least one step";
		return jobAct(form.title, `${cli} --steps ${steps.join(",")}`, {
			...{ type: "BackupValidation", backup, steps },
		});
	},
};

/** A restore as a new VM. */
export const restoreForm: FormKind = {
	open: (state, { id }) => {
		const backup = state.data.backups?.find((one) => one.id === id);
		const vm = backup?.vm.name ?? "vm";
		const promise = backup === undefined ? "not known" : comesBack(state, backup);
		return {
			title: `restore backup ${short(id)} of ${vm} as a new VM`,
			notes: [`comes back: ${promise}`],
			fields: [
				input("name", "name", `${vm}-restored`, "of the new VM"),
				input("storage", "storage dir", "", "for its disks; empty: beside the source's"),
				input("networks", "networks A=B", "", "A in the backup becomes B; several with blanks"),
				flag("keepMac", "keep MACs", false, "only where the source does not run beside it"),
				flag("quick", "quick", false, "start over the repository's layers, pulled in meanwhile"),
				flag("start", "start it", false, "once it is complete and checked"),
			],
		};
	},
	act: (_, form) => {
		const [name, storage] = [read(form, "name"), read(form, "storage")];
		if (name === "") return "the new VM needs a name";
		if (storage !== "" && !storage.startsWith("/"))
			return "a storage directory is an absolute path";
		const pairs = words(form, "networks").map((word) => word.split("="));
		if (pairs.some(([from, to, ...more]) => !from || !to || more.length > 0))
			return "networks are written A=B";
		const [keepMac, start] = [isOn(form, "keepMac"), isOn(form, "start")];
		const quick = isOn(form, "quick");
		const cli = [
			`knib restore new ${short(form.target.id)} --as ${quoted(name)}`,
			...(storage === "" ? [] : [`--storage ${quoted(storage)}`]),
			...pairs.map((pair) => `--network ${quoted(pair.join("="))}`),
			...(keepMac ? ["--keep-mac"] : []),
			...(start ? ["--start"] : []),
			...(quick ? ["--quick"] : []),
		].join(" ");
		return jobAct(form.title, cli, {
			...{ type: "Restore", mode: "new", backup: form.target.id, name, keepMac, start, quick },
			...(storage === "" ? {} : { storage }),
			networks: Object.fromEntries(pairs.map(([from = "", to = ""]) => [from, to])),
		});
	},
};

/** A check of a repository, whole or in parts. */
export const verifyForm: FormKind = {
	open: (state, { id }) => {
		const found = state.data.repositories?.find((one) => one.id === id);
		if (found === undefined) return null;
		return {
			title: `verify repository ${found.name}`,
			notes: ["reads digests, images and links again; changes nothing"],
			fields: [
				input("share", "one part of", "", "such as 7: a seventh, what was checked longest ago"),
				input("rate", "at most MB/s", "", "empty: as fast as it goes"),
			],
		};
	},
	act: (state, form) => {
		const [share, rate] = [read(form, "share"), read(form, "rate")];
		if (![share, rate].every((text) => /^\d{0,5}$/.test(text))) return "whole numbers are wanted";
		const { id } = form.target;
		const name = state.data.repositories?.find((one) => one.id === id)?.name ?? id;
		const cli = [
			`knib repository verify ${quoted(name)}`,
			...(share === "" ? [] : [`--share 1/${share}`]),
			...(rate === "" ? [] : [`--rate ${rate}MB/s`]),
		].join(" ");
		return jobAct(form.title, cli, {
			...{ type: "VerifyRepository", repository: id },
			...(share === "" ? {} : { share: Number(share) }),
			...(rate === "" ? {} : { rate: Number(rate) * 1_000_000 }),
		});
	},
};
