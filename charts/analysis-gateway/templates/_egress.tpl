{{/* The rules of config.egress and what the deployer names by URL, as far as a NetworkPolicy can say them: it knows addresses, no names. */}}
{{- define "gateway.egress" -}}
{{- $egress := default dict .Values.config.egress -}}
{{- if not (include "gateway.hasNamedEgress" .) }}
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

{{- define "gateway.hasNamedEgress" -}}
{{- if kindIs "slice" (default dict .Values.config.egress).named -}}yes{{- end -}}
{{- end -}}

{{- define "gateway.anywhere" -}}
{{ include "gateway.network" "0.0.0.0/0" }}
{{ include "gateway.network" "::/0" }}
{{- end -}}

{{/* A peer of addresses: a network, or a single one. Of all of them, not those of metadata services. */}}
{{- define "gateway.network" -}}
{{- $cidr := toString . -}}
{{- if not (contains "/" $cidr) -}}
{{- $cidr = printf "%s/%d" $cidr (ternary 128 32 (contains ":" $cidr)) -}}
{{- end -}}
- ipBlock:
    cidr: {{ $cidr | quote }}
    {{- if eq $cidr "0.0.0.0/0" }}
    except: [100.100.100.200/32, 168.63.129.16/32, 169.254.0.0/16, 192.0.0.192/32]
    {{- else if eq $cidr "::/0" }}
    except: [fd00:42::42/128, fd00:a9fe:a9fe::1/128, fd00:c1::a9fe:a9fe/128, fd00:ec2::/32, fd00:100::100:200/128, fd20:ce::254/128, fe80::/10]
    {{- end }}
{{- end -}}

{{- define "gateway.host" -}}
{{- toString . | lower | trimSuffix "." -}}
{{- end -}}

{{- define "gateway.peers" -}}
{{- $peers := list -}}
{{- range .networks -}}
{{- $peers = append $peers (include "gateway.network" .) -}}
{{- else -}}
{{- range .hosts -}}
{{- $host := include "gateway.host" . -}}
{{- if or (contains ":" $host) (regexMatch "^[0-9]+\\.[0-9]+\\.[0-9]+\\.[0-9]+$" $host) -}}
{{- $peers = append $peers (include "gateway.network" (trimAll "[]" $host)) -}}
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
{{- $host := include "gateway.host" . | trimSuffix ".cluster.local" -}}
{{- if hasSuffix ".svc" $host -}}
{{- $namespace := trimSuffix ".svc" $host | splitList "." | last -}}
{{- $labels := dict "kubernetes.io/metadata.name" $namespace -}}
{{- $selector := ternary dict (dict "matchLabels" $labels) (eq $namespace "*") -}}
{{- $peers = append $peers (printf "- namespaceSelector: %s" (toJson $selector)) -}}
{{- end -}}
{{- end -}}
{{- $peers | uniq | join "\n" -}}
{{- end -}}

{{/* The ports of Redis: those that are named, or those of the URL that is; a socket has none. */}}
{{- define "gateway.redisPorts" -}}
{{- $url := .Values.redis.url -}}
{{- $ports := default list .Values.networkPolicy.redis.ports -}}
{{- if and (not $ports) .Values.redis.existingSecret -}}
{{- $ports = list 6379 -}}
{{- else if and (not $ports) (not (hasPrefix "unix:" $url)) -}}
{{- $isSentinel := contains "+sentinel:" $url -}}
{{- range regexReplaceAll "^[^:]*://([^/?]*).*$" $url "${1}" | splitList "," -}}
{{- $ports = append $ports (regexFind ":[0-9]+$" . | trimPrefix ":" | default (ternary 26379 6379 $isSentinel) | int) -}}
{{- end -}}
{{- if $isSentinel -}}{{- $ports = append $ports 6379 -}}{{- end -}}
{{- end -}}
{{- $ports | uniq | toYaml -}}
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
