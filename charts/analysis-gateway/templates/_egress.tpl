{{/* The rules of config.egress and what the deployer names by URL, as far as a NetworkPolicy can say them: it knows addresses, no names. */}}
{{- define "gateway.egress" -}}
{{- $egress := default dict .Values.config.egress -}}
{{- if not (hasKey $egress "named") }}
# Without egress.named, templates may ask anything but metadata services.
- to:
    - namespaceSelector: {}
    {{- include "gateway.anywhere" . | nindent 4 }}
{{- end }}
{{- $urls := include "gateway.urlRules" . | fromYamlArray }}
{{- range $rule := concat (default list $egress.named) (default list $egress.inline) $urls }}
{{- $peers := include "gateway.peers" $rule }}
{{- $inside := include "gateway.services" $rule }}
{{- if $peers }}
- to:
    {{- $peers | nindent 4 }}
  ports:
    {{- include "gateway.rulePorts" $rule | nindent 4 }}
{{- end }}
{{- if $inside }}
# Services of the cluster: their pods may listen on other ports than they do.
- to:
    {{- $inside | nindent 4 }}
{{- end }}
{{- end }}
{{- end -}}

{{/* A rule for each URL that the gateway asks whatever its own policy of egress says. */}}
{{- define "gateway.urlRules" -}}
{{- $urls := list -}}
{{- range concat (default list .Values.config.connections) (default list .Values.config.notifications) -}}
{{- $urls = append $urls .url -}}
{{- end -}}
{{- range .Values.access.jwt -}}
{{- $urls = append (append $urls .issuer) .jwks -}}
{{- end -}}
{{- $rules := list -}}
{{- range compact $urls | uniq -}}
{{- $url := urlParse . -}}
{{- $host := $url.hostname | lower | trimSuffix "." -}}
{{- $port := regexFind "[0-9]+$" (regexFind ":[0-9]+$" $url.host) -}}
{{- $port = default (ternary "80" "443" (eq (lower $url.scheme) "http")) $port -}}
{{- $host = ternary (printf "[%s]" $host) $host (contains ":" $host) -}}
{{- $rules = append $rules (dict "hosts" (list $host) "ports" (list $port)) -}}
{{- end -}}
{{- $rules | uniq | toYaml -}}
{{- end -}}

{{- define "gateway.anywhere" -}}
- ipBlock:
    cidr: 0.0.0.0/0
    except: [100.100.100.200/32, 168.63.129.16/32, 169.254.0.0/16, 192.0.0.192/32]
- ipBlock:
    cidr: ::/0
    except: [fd00:42::42/128, fd00:a9fe:a9fe::1/128, fd00:c1::a9fe:a9fe/128, fd00:ec2::/32, fd00:100::100:200/128, fd20:ce::254/128, fe80::/10]
{{- end -}}

{{- define "gateway.peers" -}}
{{- $peers := list -}}
{{- if .networks -}}
{{- range .networks -}}
{{- $peers = append $peers (printf "- ipBlock: {cidr: %q}" (toString .)) -}}
{{- end -}}
{{- else -}}
{{- range .hosts -}}
{{- $host := toString . -}}
{{- if regexMatch "^[0-9]+\\.[0-9]+\\.[0-9]+\\.[0-9]+$" $host -}}
{{- $peers = append $peers (printf "- ipBlock: {cidr: %s/32}" $host) -}}
{{- else if hasPrefix "[" $host -}}
{{- $peers = append $peers (printf "- ipBlock: {cidr: \"%s/128\"}" (trimAll "[]" $host)) -}}
{{- else if not (regexMatch "\\.svc(\\.cluster\\.local)?$" $host) -}}
{{- $peers = append $peers (include "gateway.anywhere" $) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $peers | uniq | join "\n" -}}
{{- end -}}

{{- define "gateway.services" -}}
{{- $peers := list -}}
{{- range .hosts -}}
{{- $host := toString . | trimSuffix ".cluster.local" -}}
{{- if hasSuffix ".svc" $host -}}
{{- $namespace := index (splitList "." (trimSuffix ".svc" $host)) (sub (len (splitList "." (trimSuffix ".svc" $host))) 1) -}}
{{- if ne $namespace "*" -}}
{{- $peers = append $peers (printf "- namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: %s}}" $namespace) -}}
{{- else -}}
{{- $peers = append $peers "- namespaceSelector: {}" -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $peers | uniq | join "\n" -}}
{{- end -}}

{{- define "gateway.rulePorts" -}}
{{- $ports := list -}}
{{- if .ports -}}
{{- range .ports -}}
{{- $ends := splitList "-" (toString .) -}}
{{- if eq (len $ends) 2 -}}
{{- $ports = append $ports (printf "- {protocol: TCP, port: %s, endPort: %s}" (index $ends 0) (index $ends 1)) -}}
{{- else -}}
{{- $ports = append $ports (printf "- {protocol: TCP, port: %s}" (index $ends 0)) -}}
{{- end -}}
{{- end -}}
{{- else -}}
{{- $schemes := default (list "http" "https") .schemes -}}
{{- if has "http" $schemes -}}{{- $ports = append $ports "- {protocol: TCP, port: 80}" -}}{{- end -}}
{{- if has "https" $schemes -}}{{- $ports = append $ports "- {protocol: TCP, port: 443}" -}}{{- end -}}
{{- end -}}
{{- $ports | join "\n" -}}
{{- end -}}
