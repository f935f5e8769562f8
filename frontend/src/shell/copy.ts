/**
 * Put text on the clipboard. Browsers offer the modern way only on https and localhost; elsewhere a selected
 * text field and the old command still work.
 */
export async function copyText(text: string): Promise<void> {
  if (navigator.clipboard && isSecureContext) return navigator.clipboard.writeText(text);
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "pf-v6-screen-reader";
  document.body.append(field);
  field.select();
  const copied = document.execCommand("copy");
  field.remove();
  if (!copied) throw new Error("The browser does not let this page copy");
}
