// Who follows a link from another site comes without the cookie. Asked for by this page itself, the
// same address has it, and leads on.
const here = new URL(location.href);
if (!here.searchParams.has("asked") && !document.querySelector("[role=alert]")) {
  here.searchParams.set("asked", "1");
  location.replace(here);
}
