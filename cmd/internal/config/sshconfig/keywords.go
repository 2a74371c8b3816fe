package sshconfig

// keyword is one that is taken.
type keyword struct {
	name string // in the manual's spelling
	slot string // where its value goes; two keywords that exclude each other share one
	adds bool   // each line adds a value
	many bool   // a line may have several words
	rest bool   // the value is the rest of the line, whatever is in it
}

// taken finds a keyword, in lower case.
func taken(name string) (keyword, bool) {
	for _, k := range []keyword{
		{name: "HostName"},
		{name: "Port"},
		{name: "User"},
		{name: "IdentityFile", adds: true},
		{name: "CertificateFile", adds: true},
		{name: "IdentitiesOnly"},
		{name: "IdentityAgent"},
		{name: "ProxyJump", slot: "proxy"},
		{name: "ProxyCommand", slot: "proxy", rest: true},
		{name: "HostKeyAlias"},
		{name: "UserKnownHostsFile", many: true},
		{name: "StrictHostKeyChecking"},
		{name: "ConnectTimeout"},
		{name: "KexAlgorithms"},
		{name: "Ciphers"},
		{name: "MACs"},
		{name: "HostKeyAlgorithms"},
		{name: "PubkeyAcceptedAlgorithms"},
		{name: "PubkeyAcceptedKeyTypes", slot: "pubkeyacceptedalgorithms"}, // its name until 8.5
	} {
		if lower(k.name) != name {
			continue
		}
		if k.slot == "" {
			k.slot = lower(k.name)
		}
		return k, true
	}
	return keyword{}, false
}

// passedBy are the other keywords of ssh_config(5), also of versions before and
// after, which decide nothing here.
const passedBy = `addkeystoagent addressfamily afstokenpassing batchmode bindaddress bindinterface canonicaldomains
canonicalizefallbacklocal canonicalizehostname canonicalizemaxdots canonicalizepermittedcnames casignaturealgorithms
challengeresponseauthentication channeltimeout checkhostip cipher clearallforwardings compression compressionlevel
connectionattempts controlmaster controlpath controlpersist dsaauthentication dynamicforward enableescapecommandline
enablesshkeysign escapechar exitonforwardfailure fallbacktorsh fingerprinthash forkafterauthentication forwardagent
forwardx11 forwardx11timeout forwardx11trusted gatewayports globalknownhostsfile gssapiauthentication gssapiclientidentity
gssapidelegatecredentials gssapikexalgorithms gssapikeyexchange gssapirenewalforcesrekey gssapiserveridentity gssapitrustdns
hashknownhosts hostbasedacceptedalgorithms hostbasedauthentication hostbasedkeytypes ipqos kbdinteractiveauthentication
kbdinteractivedevices keepalive knownhostscommand localcommand localforward loglevel logverbose nohostauthenticationforlocalhost
numberofpasswordprompts obscurekeystroketiming passwordauthentication permitlocalcommand permitremoteopen pkcs11provider
preferredauthentications protocol proxyusefdpass pubkeyauthentication refuseconnection rekeylimit remotecommand
remoteforward requesttty requiredrsasize revokedhostkeys rhostsauthentication rhostsrsaauthentication rsaauthentication
securitykeyprovider sendenv serveralivecountmax serveraliveinterval sessiontype setenv skeyauthentication smartcarddevice
stdinnull streamlocalbindmask streamlocalbindunlink syslogfacility tag tcpkeepalive tisauthentication tunnel tunneldevice
updatehostkeys usekeychain useprivilegedport usersh verifyhostkeydns versionaddendum visualhostkey warnweakcrypto
xauthlocation`
