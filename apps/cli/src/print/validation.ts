// What a finished validation says to people.
import { safe, short, size } from "./text.ts";

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields => typeof value === "object" && value !== null;

const text = (value: unknown): string => (typeof value === "string" ? value : "");

const seconds = (value: unknown): string =>
	typeof value === "number" ? ` (${(value / 1000).toFixed(1)} s)` : "";

/** One step of a validation in one line. */
export const validationStepText = (step: Fields): string => {
	const word = step["skipped"] === true ? "skipped" : step["ok"] === true ? "ok" : "FAILED";
	return safe(
		`${text(step["step"])} ${word}${seconds(step["durationMs"])}: ${text(step["message"])}`,
	);
};

/** A validated backup: its status, then each step. */
export const validationResult = (result: Fields): string => {
	const steps = Array.isArray(result["validation"]) ? result["validation"].filter(isFields) : [];
	const proofs = Array.isArray(result["proof"]) ? result["proof"].filter(isFields) : [];
	const proof = proofs.map((one) => text(one["level"])).join(", ");
	const status = text(result["validationStatus"]);
	const head = safe(`backup ${short(text(result["id"]))}: ${status}, proof: ${proof}`);
	return [head, ...steps.map((step) => `  ${validationStepText(step)}`)].join("\n");
};

/** A VM's restore-time promise in one line; null when nothing was measured. */
export const restorePromiseText = (
	promise: {
		readonly bootMs: number | null;
		readonly answerMs: number | null;
		readonly pullBytesPerSecond: number | null;
	} | null,
): string | null => {
	if (promise === null) return null;
	const { bootMs, answerMs, pullBytesPerSecond } = promise;
	const parts = [
		bootMs === null ? "" : `boots in ${(bootMs / 1000).toFixed(1)} s`,
		answerMs === null ? "" : `answers in ${(answerMs / 1000).toFixed(1)} s`,
		pullBytesPerSecond === null ? "" : `consolidates ${size(pullBytesPerSecond)}/s`,
	].filter((part) => part !== "");
	return parts.length === 0 ? null : parts.join(", ");
};
