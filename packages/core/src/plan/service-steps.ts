// The steps of compressions and deletions as data; the union of all steps is in steps.ts.

/** How compressed clusters are written. */
export type CompressionLibrary = "zstd" | "zlib";

/** A layer as its manifest publishes it now. */
export type PublishedLayer = {
	readonly target: string;
	/** Absolute path of the file. */
	readonly path: string;
	readonly size: number;
	readonly allocated: number;
	readonly sha256: string;
};

/** One layer to be compressed into a new file beside it. */
export type CompressPlan = PublishedLayer & {
	/** Absolute path of the file to make; scans ignore its name. */
	readonly compressed: string;
	/** Absolute path of the parent's layer; null for a self-contained one. */
	readonly backing: string | null;
	/** The name that the new file's header gives its backing file: that of the old one. */
	readonly backingName: string | null;
	readonly library: CompressionLibrary;
	/** Why this library and not the one asked for; null when it is. */
	readonly libraryReason: string | null;
};

/** The backups of one chain whose files are re-read. */
export type VerifyChain = {
	readonly vm: { readonly uuid: string; readonly name: string };
	readonly chain: string;
	/** Ids, oldest first. */
	readonly backups: readonly string[];
};

/** The steps of compressions and deletions beside `lease`, `end-chain` and `merge-overlays`. */
export type ServiceStep =
	| { readonly kind: "begin-compression" }
	| { readonly kind: "verify-old-layers"; readonly layers: readonly PublishedLayer[] }
	| {
			readonly kind: "compress-layers";
			readonly layers: readonly CompressPlan[];
			readonly coroutines: number;
			/** Bytes per second, 0 = no limit. */
			readonly rate: number;
	  }
	| { readonly kind: "begin-finalize" }
	| { readonly kind: "prove-compressed"; readonly layers: readonly CompressPlan[] }
	| { readonly kind: "switch-layers" }
	| { readonly kind: "discard-compressed" }
	| { readonly kind: "mark-removed" }
	| {
			/** Makes the layers of `child` anew, with what `backup` holds in them. */
			readonly kind: "fold-layers";
			readonly backup: string;
			readonly child: string;
	  }
	| { readonly kind: "switch-folded"; readonly backup: string; readonly child: string }
	| { readonly kind: "trash-backups"; readonly backups: readonly string[] }
	| {
			readonly kind: "verify-chains";
			readonly chains: readonly VerifyChain[];
			/** Bytes to be read: what progress is measured against. */
			readonly bytes: number;
			/** Bytes per second, 0 = no limit. */
			readonly rate: number;
	  };
