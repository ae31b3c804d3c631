// The one script of the console: it asks the browser for a passkey and posts what it answers.
//
//   <form data-passkey="get|create" data-options="…"> with an <input type="hidden" name="response">
"use strict";

const fromText = (text) => Uint8Array.from(
  atob(text.replace(/-/g, "+").replace(/_/g, "/")), (each) => each.charCodeAt(0));

const toText = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
  .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

const asBytes = (options) => {
  options.challenge = fromText(options.challenge);
  if (options.user) options.user.id = fromText(options.user.id);
  for (const name of ["excludeCredentials", "allowCredentials"])
    for (const each of options[name] || []) each.id = fromText(each.id);
  return options;
};

const asText = (credential) => {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature",
                      "userHandle"])
    if (credential.response[name]) response[name] = toText(credential.response[name]);
  return JSON.stringify({
    id: credential.id, rawId: toText(credential.rawId), type: credential.type, response,
  });
};

const said = {
  NotAllowedError: "No passkey was used: it was cancelled, or took too long.",
  InvalidStateError: "This authenticator holds a passkey for you already.",
  SecurityError: "This browser uses no passkeys at this address.",
};

for (const form of document.querySelectorAll("form[data-passkey]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const told = form.querySelector("[role=alert]");
    told.textContent = "";
    try {
      const publicKey = asBytes(JSON.parse(form.dataset.options));
      const credential = await navigator.credentials[form.dataset.passkey]({publicKey});
      form.elements.response.value = asText(credential);
      form.submit();
    } catch (error) {
      told.textContent = said[error.name] || "This browser cannot use a passkey here.";
    }
  });
}
