// What a finished job says to people, from its result; fields that are missing are left out.
import { extractResult } from "./files.ts";
import { counted, safe, short, size } from "./text.ts";
import { validationResult } from "./validation.ts";

type Result = Readonly<Record<string, unknown>>;

const text = (value: unknown): string => (typeof value === "string" ? value : "");
const field = (value: unknown, name: string): string =>
	typeof value === "object" && value !== null && name in value
		? text(Object.entries(value).find(([key]) => key === name)?.[1])
		: "";

/** A new backup in one line: id, VM, size, and its kind with the reason. */
export const backupResult = (result: Result): string => {
	const bytes = result["size"];
	const parts = [typeof bytes === "number" ? size(bytes) : "", text(result["reason"])].filter(
		(part) => part !== "",
	);
	return safe(
		`backup ${short(text(result["id"]))} of ${field(result["vm"], "name")}: ${parts.join(", ")}`,
	);
};

/** The new VM of a restore. */
export const restoreResult = (result: Result): string => {
	const vm = result["vm"];
	const now = result["quick"] === true ? "; its disks are being pulled in from the repository" : "";
	const started = text(result["startedAt"]) === "" ? "" : `, started${now}`;
	return safe(`VM ${field(vm, "name")} (${field(vm, "uuid")}) restored${started}`);
};

/** A VM on the disks that it had before it was restored in place. */
export const undoResult = (result: Result): string =>
	safe(
		`VM ${field(result["vm"], "name")} is back on its old disks; the restored ones stay until \`knib restore confirm\``,
	);

/** Disks set aside that are deleted now. */
export const confirmResult = (result: Result): string =>
	safe(`the disks set aside of VM ${field(result["vm"], "name")} are deleted`);

/** A disk that was restored to a VM. */
export const diskResult = (result: Result): string => {
	const disks: unknown = result["disks"];
	const disk: unknown = Array.isArray(disks) ? disks[0] : undefined;
	const later = result["quick"] === true ? "; it is being pulled in from the repository" : "";
	return safe(
		`${field(disk, "path")} is attached to VM ${field(result["vm"], "name")} as ${field(disk, "target")}${later}`,
	);
};

/** A VM whose disks stand on themselves again. */
const consolidateResult = (result: Result): string => {
	const rate = result["bytesPerSecond"];
	const how = typeof rate === "number" ? ` at ${size(rate)}/s` : "";
	const bytes = result["bytes"];
	const much = typeof bytes === "number" ? `: ${size(bytes)} pulled in${how}` : "";
	return safe(`VM ${field(result["vm"], "name")} stands on its own disks${much}`);
};

/** A chain that was finished. */
export const finishResult = (result: Result): string => {
	const chain = text(result["chain"]);
	const reason = text(result["reason"]);
	const what = chain === "" ? "there was no open chain" : `chain ${short(chain)} is finished`;
	return safe(reason === "" ? what : `${what}: ${reason}`);
};

/** A backup that was deleted, and what went with it. */
export const deleteResult = (result: Result): string => {
	const swept = Array.isArray(result["swept"]) ? result["swept"].map((id) => short(text(id))) : [];
	const id = short(text(result["id"]));
	const ended = text(result["chainEnded"]) === "" ? "" : "; its chain is ended";
	const what =
		swept.length === 0
			? `is removed; its data stays for the backups that stand on it`
			: `is in the trash${swept.length > 1 ? ` with ${swept.filter((one) => one !== id).join(", ")}` : ""}`;
	const into = text(result["consolidatedInto"]);
	const folded = into === "" ? "" : `; its data is in ${short(into)} now`;
	return safe(`backup ${id} of ${field(result["vm"], "name")} ${what}${ended}${folded}`);
};

/** A backup whose layers were compressed, or put in place. */
export const compressionResult = (result: Result): string => {
	const status = text(result["compressionStatus"]);
	const next = status === "Compressing" ? "; a second job puts the new layers in place" : "";
	return safe(`backup ${short(text(result["id"]))} is ${status}${next}`);
};

/** What a verification has read: all of it as published, else the job has failed. */
export const verifyResult = (result: Result): string => {
	const chain = text(result["chain"]);
	const what = chain === "" ? `repository ${text(result["repository"])}` : `chain ${short(chain)}`;
	const count = (name: string): number => Number(result[name] ?? 0);
	return safe(
		`${what}: ${counted(count("backups"), "backup")}, ${counted(count("files"), "file")}, ${size(count("bytes"))} read; all as published`,
	);
};

/** The result of any job: one line where its type is known, else its fields. */
export const resultOf = (type: string): ((result: Result) => string) => {
	if (type === "Backup") return backupResult;
	if (type === "Restore") return restoreResult;
	if (type === "RestoreDisk") return diskResult;
	if (type === "Consolidate") return consolidateResult;
	if (type === "FinishChain") return finishResult;
	if (type === "BackupValidation") return validationResult;
	if (type === "DeleteBackup") return deleteResult;
	if (type === "ExtractFiles") return extractResult;
	if (type === "VerifyRepository") return verifyResult;
	if (type === "StartCompression" || type === "FinalizeCompression") return compressionResult;
	return (result) => safe(JSON.stringify(result));
};

/** The disks that a backup left out, or the files of an extraction, each with the reason, where no warning names them already. */
export const skippedOf = (result: Result, warnings: readonly string[]): readonly string[] => {
	const skipped = result["skipped"];
	if (!Array.isArray(skipped)) return [];
	return skipped.flatMap((disk: unknown) => {
		const target = field(disk, "target") || field(disk, "path");
		const named = warnings.some((warning) => warning.includes(` ${target} `));
		return named ? [] : [`${target} was skipped: ${field(disk, "reason")}`];
	});
};
