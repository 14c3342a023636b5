// Reads qemu-img's answers. Pure; an answer that cannot be read is COMMAND_FAILED, never an empty one (I10).
import { type Extent, type ImageInfo, KnibError } from "@knib/core";
import { z } from "zod";
import { isPlainBackingName, resolveBacking } from "./image-path.ts";

const infoSchema = z.object({
	format: z.string(),
	"virtual-size": z.number().int().nonnegative(),
	"actual-size": z.number().int().nonnegative().optional(),
	"backing-filename": z.string().optional(),
	"backing-filename-format": z.string().optional(),
	"cluster-size": z.number().int().optional(),
	"dirty-flag": z.boolean().optional(),
	encrypted: z.boolean().optional(),
	snapshots: z
		.array(z.object({ name: z.string().optional(), id: z.string().optional() }))
		.optional(),
	"format-specific": z
		.object({
			data: z
				.object({
					compat: z.string().optional(),
					"compression-type": z.string().optional(),
					corrupt: z.boolean().optional(),
					"extended-l2": z.boolean().optional(),
					"data-file": z.string().optional(),
				})
				.optional(),
		})
		.optional(),
});

const parseJson = <T>(what: string, text: string, schema: z.ZodType<T>): T => {
	try {
		return schema.parse(JSON.parse(text));
	} catch (cause) {
		throw new KnibError("COMMAND_FAILED", `the answer of qemu-img ${what} cannot be read`, {
			cause,
			details: { answer: text.slice(0, 1000) },
		});
	}
};

const backingOf = (
	path: string,
	name: string,
	format: string | undefined,
): ImageInfo["backing"] => {
	// A name with a protocol is shown as it is: no absolute path can be made of it, and `chain` refuses it.
	const resolved = isPlainBackingName(name) ? resolveBacking(path, name) : name;
	return { path: resolved, ...(format === undefined ? {} : { format }) };
};

/** `qemu-img info --output=json` of one image. */
export const parseInfo = (path: string, text: string): ImageInfo => {
	const raw = parseJson("info", text, infoSchema);
	const data = raw["format-specific"]?.data ?? {};
	const name = raw["backing-filename"];
	const backing =
		name === undefined ? undefined : backingOf(path, name, raw["backing-filename-format"]);
	const dataFile = data["data-file"];
	const clusterSize = raw["cluster-size"];
	const compression = data["compression-type"];
	return {
		path,
		format: raw.format,
		virtualSize: raw["virtual-size"],
		actualSize: raw["actual-size"] ?? 0,
		...(backing === undefined ? {} : { backing }),
		...(dataFile === undefined
			? {}
			: { dataFile: isPlainBackingName(dataFile) ? resolveBacking(path, dataFile) : dataFile }),
		snapshots: (raw.snapshots ?? []).map((one) => one.name ?? one.id ?? ""),
		...(clusterSize === undefined ? {} : { clusterSize }),
		...(data.compat === undefined ? {} : { compat: data.compat }),
		...(compression === undefined ? {} : { compressionType: compression }),
		extendedL2: data["extended-l2"] ?? false,
		encrypted: raw.encrypted ?? false,
		dirty: raw["dirty-flag"] ?? false,
		corrupt: data.corrupt ?? false,
	};
};

const extentsSchema = z.array(
	z.object({
		start: z.number().int().nonnegative(),
		length: z.number().int().positive(),
		depth: z.number().int().nonnegative(),
		present: z.boolean().optional(),
		zero: z.boolean(),
		data: z.boolean(),
	}),
);

/** `qemu-img map --output=json`. Before qemu 6.1 it does not say what is present: data or an explicit zero in the top image is. */
export const parseMap = (text: string): readonly Extent[] =>
	parseJson("map", text, extentsSchema).map((extent) => ({
		...extent,
		present: extent.present ?? (extent.data || (extent.zero && extent.depth === 0)),
	}));

/** Reads `(12.34/100%)` out of what a program prints while it works; fraction done, or undefined. */
export const parseProgress = (text: string): number | undefined => {
	const last = [...text.matchAll(/\((\d{1,3}(?:\.\d{1,2})?)\/100%\)/g)].at(-1)?.[1];
	return last === undefined ? undefined : Math.min(1, Number(last) / 100);
};

/** What `qemu-img compare` said, without its progress. */
export const parseCompare = (text: string): string =>
	text
		.replaceAll(/\(\d{1,3}\.\d{2}\/100%\)/g, "")
		.split(/[\r\n]/)
		.map((line) => line.trim())
		.filter((line) => line !== "")
		.join("; ");
